"use strict";
// The invariants: what each says, how often it was at stake, and of each violation the events that show it. Beside them
// the dangerous places that were reached.
{
  const ORDER = ["violated", "undecided", "held", "not-exercised"];
  const SHOWN = 5;
  const chosen = { id: null, at: 0 };

  const isDrawable = (found) => found.diagram.arrows.length > 0;

  function find(id, at) {
    const row = data.invariants.find((each) => each.id === id);
    return row ? [...row.violations, ...row.doubts][at] : undefined;
  }

  function choose(id, at) {
    Object.assign(chosen, { id, at });
    drawChosen();
    byId("diagram-heading").focus();
    byId("diagram-section").scrollIntoView({ block: "nearest" });
  }

  function drawChosen() {
    const found = find(chosen.id, chosen.at);
    const drawn = found !== undefined && isDrawable(found);
    byId("diagram-section").hidden = !drawn;
    if (drawn) showDiagram(found.diagram, `${chosen.id}: ${found.thing}${found.job ? ` on job ${found.job}` : ""}`, found.events.map((event) => event.id));
  }

  function eventList(found) {
    return el("ol", { class: "evidence" }, ...found.events.map((event) => el("li", {},
      el("button", { type: "button", class: "event", "data-entry": event.id, click: () => showRaw([event.id]) },
        el("b", {}, seconds(event.at)), " ", event.text))));
  }

  function foundItem(row, found, at) {
    const what = [found.thing, found.job ? `job ${found.job}` : ""].filter(Boolean).join(", ");
    return el("li", { class: "found" }, el("details", { open: at === 0 },
      el("summary", {}, el("b", {}, what), `: ${found.message}`),
      eventList(found),
      isDrawable(found) ? el("button", { type: "button", class: "to-diagram", click: () => choose(row.id, at) }, "Draw it") : null));
  }

  function details(row) {
    const all = [...row.violations, ...row.doubts];
    if (!all.length) return null;
    const more = all.length - SHOWN + (row.more ?? 0);
    return el("div", { class: "all-found" },
      el("ul", {}, ...all.slice(0, SHOWN).map((found, at) => foundItem(row, found, at))),
      more > 0 ? el("p", { class: "note" }, `and ${more} more, which verdict.json has`) : null);
  }

  function invariant(row) {
    const [sign, word] = outcomeWords(row.outcome);
    return el("li", { "data-id": row.id, "data-outcome": row.outcome },
      el("div", { class: "invariant-head" },
        el("span", { class: "outcome", "data-outcome": row.outcome }, icon(sign), word),
        el("h3", {}, row.id),
        el("span", { class: "note" }, row.outcome === "not-exercised" ? "" : `at stake ${count(row.opportunities, "time")}`)),
      el("p", { class: "about" }, row.about),
      details(row));
  }

  function drawInvariants(data) {
    const rows = [...data.invariants].sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
    byId("invariants-section").hidden = !rows.length && !data.reached.length;
    fillKeepingOpen(byId("invariants"), rows.map(invariant));
    const first = rows.find((row) => row.violations.some(isDrawable));
    if (!find(chosen.id, chosen.at) && first) {
      Object.assign(chosen, { id: first.id, at: first.violations.findIndex(isDrawable) });
    }
    drawChosen();
  }

  /** News does not close what somebody has opened. */
  function fillKeepingOpen(list, items) {
    for (const item of items) {
      const before = list.querySelectorAll(`[data-id="${CSS.escape(item.dataset.id)}"] details`);
      item.querySelectorAll("details").forEach((details, index) => {
        if (before[index]) details.open = before[index].open;
      });
    }
    fill(list, ...items);
  }

  /** Some of the devices are enough for some places: whether they were is the verdict's to say. */
  function cameOf({ devices, of }, state) {
    if (!of) return "not-exercised";
    return devices === of || (devices && state === "passed") ? "held" : "undecided";
  }

  function drawReached(data) {
    byId("reached-section").hidden = !data.reached.length;
    fill(byId("reached"), ...data.reached.map((place) => el("li", { "data-id": place.id, "data-outcome": cameOf(place, data.state) },
      icon(outcomeWords(cameOf(place, data.state))[0]),
      el("b", {}, place.id), place.of ? ` on ${place.devices} of ${count(place.of, "device")}` : " asked of no device",
      place.about ? el("span", { class: "note" }, ` ${place.about}`) : null)));
  }

  section(["invariants", "reached", "size"], drawInvariants);
  section(["reached", "state"], drawReached);
}
