"use strict";
// The panel that shows what was clicked: what happened in words, and the entry of the trace as it is.
{
  let cameFrom = null;

  function list(ids, chosen) {
    if (ids.length < 2) return null;
    return el("p", { class: "buttons events" }, ...ids.map((id) =>
      el("button", { type: "button", class: "event", "aria-pressed": String(id === chosen), "data-entry": id,
        click: () => show(ids, id) }, id)));
  }

  function told(id) {
    const entry = data.entries[id];
    if (!entry) {
      return [el("p", {}, `This page does not keep it. Where the trace is, ask for it: ghostjob trace OUT '${id}'`)];
    }
    return [
      el("p", { class: "raw-text" }, entry.text),
      el("p", { class: "note" }, `${entry.type} · ${entry.source} · ${seconds(entry.at)}`),
      el("pre", { tabindex: "0", "aria-label": "As it stands in the trace" }, JSON.stringify(entry.raw, null, 2)),
    ];
  }

  function show(ids, id) {
    const panel = byId("raw");
    panel.replaceChildren(
      el("div", { class: "raw-head" }, el("h2", {}, id),
        el("button", { type: "button", class: "close", click: closeRaw }, "Close")),
      ...[list(ids, id), ...told(id)].filter(Boolean));
    panel.hidden = false;
    panel.focus({ preventScroll: true });
  }

  /** Show the entries of these ids, the first of them first; the focus goes there, and back when it is closed. */
  window.showRaw = (ids) => {
    if (!ids?.length) return;
    if (!byId("raw").contains(document.activeElement)) cameFrom = document.activeElement;
    show(ids, ids[0]);
  };

  window.closeRaw = () => {
    byId("raw").hidden = true;
    cameFrom?.focus?.({ preventScroll: true });
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("raw").hidden) closeRaw();
  });
}
