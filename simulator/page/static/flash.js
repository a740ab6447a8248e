"use strict";
// The flash of each device at the instant that is looked at: its slots as rows of sectors, which one boots, and what is
// a brick. One character is one sector.

const SECTORS = {
  "#": "written", ">": "being written", "<": "being erased", ".": "erased", "?": "not known",
};

{
  /** The last state of a history that is not after `at`; null before the first. */
  function stateAt(history, at) {
    const index = d3.bisector((each) => each.at).right(history, at) - 1;
    return index < 0 ? null : history[index];
  }

  function cells(slot) {
    return el("span", { class: "cells", role: "img", "aria-label": cellsInWords(slot) },
      ...[...slot.cells].map((cell) => el("i", { "data-cell": cell in SECTORS ? cell : "?" })));
  }

  function cellsInWords(slot) {
    const counts = d3.rollup([...slot.cells], (each) => each.length, (cell) => SECTORS[cell] ?? SECTORS["?"]);
    return [...counts].map(([word, number]) => `${number} ${word}`).join(", ");
  }

  /** What a slot holds that holds no version. */
  function holdsInWords(cells) {
    if (cells.includes("?")) return "nobody knows what";
    return /^\.*$/.test(cells) ? "empty" : "nothing whole";
  }

  function slotRow(slot) {
    return el("li", { class: "slot", "data-boots": String(slot.boots), "data-trial": String(slot.trial) },
      el("span", { class: "slot-name" }, slot.name),
      cells(slot),
      el("span", { class: "slot-holds" }, slot.holds || holdsInWords(slot.cells),
        slot.boots ? el("b", { class: "boots" }, slot.trial ? " ▸ boots on trial" : " ▸ boots") : ""));
  }

  function condition(thing, state) {
    if (!state) return ["waiting", "not seen yet"];
    if (thing.bricked && state.bootable === false) return ["bricked", "Bricked: nothing to boot from"];
    if (state.bootable === false) return ["failed", "Nothing to boot from"];
    if (!state.power) return ["ended", "No power"];
    if (!state.running) return ["none", "Nothing runs"];
    return ["passed", `Runs ${state.running}`];
  }

  function drawCard(node, thing) {
    const state = stateAt(data.flash[thing.thing], instant());
    const [sign, words] = condition(thing, state);
    node.dataset.bricked = String(state ? state.bootable === false : false);
    node.dataset.power = String(state ? state.power : true);
    fill(node,
      el("h4", {}, thing.thing),
      el("p", { class: "condition" }, icon(sign), words),
      el("ul", { class: "slots" }, ...(state?.slots ?? []).map(slotRow)),
      state?.does ? el("p", { class: "does" }, state.does) : null,
      state?.pending.length ? el("p", { class: "pending" }, `half done: ${state.pending.join(", ")}`) : null);
  }

  function drawLegend() {
    fill(byId("flash-legend"), ...Object.entries(SECTORS).map(([cell, word]) =>
      el("span", { class: "key" }, el("i", { "data-cell": cell }), word)));
  }

  function draw(data) {
    byId("flash-section").hidden = !Object.keys(data.flash).length;
    const groups = shownGroups().map(([name, things]) => [name, things.filter((each) => data.flash[each.thing])]);
    const column = d3.select("#flash").attr("data-columns", groups.length).selectAll("div.column")
      .data(groups, ([name]) => name).join((enter) => {
        const made = enter.append("div").attr("class", "column").attr("data-group", ([name]) => name);
        made.filter(([name]) => name).append("h3").attr("class", "group").text(([name]) => groupName(name));
        made.append("div").attr("class", "cards");
        return made;
      });
    column.select(".cards").selectAll("article.flash").data(([, things]) => things, (thing) => thing.thing)
      .join((enter) => enter.append("article").attr("class", "flash").attr("data-thing", (thing) => thing.thing))
      .each(function each(thing) {
        drawCard(this, thing);
      });
  }

  drawLegend();
  section(["flash", "things", "now", "playhead", "filters"], draw);
}
