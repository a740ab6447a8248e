"use strict";
// The flash of each device at the instant that is looked at: its slots as rows of sectors, which one boots, and what is
// a brick. One character is one sector.

const SECTORS = {
  "#": "committed", "+": "new", ">": "being written", "<": "being erased", ".": "erased", "x": "of no use",
};

{
  /** The last state of a history that is not after `at`; null before the first. */
  function stateAt(history, at) {
    const index = d3.bisector((each) => each.at).right(history, at) - 1;
    return index < 0 ? null : history[index];
  }

  /** The slots at an instant in the middle of what is done to them (see `Work` in data.py). */
  function slotsAt(state, at) {
    const { slots, work } = state;
    if (!work) return slots;
    const total = work.exchanges || work.erases + work.writes;
    const gone = work.seconds ? Math.floor((at - work.since) / work.seconds + 1e-6) : 0;
    const done = Math.min(work.done + Math.max(gone, 0), total);
    if (work.exchanges) return exchanged(slots, work, done);
    return slots.map((slot) => (slot.name === work.slot ? { ...slot, cells: worked(slot.cells, work, done) } : slot));
  }

  function worked(cells, work, done) {
    const sectors = [...cells];
    const sector = (number) => number < work.erases
      ? work.erases - 1 - number : sectors.length - work.writes + number - work.erases;
    const put = (number, erasing, writing) => {
      sectors[sector(number)] = number < work.erases ? erasing : writing;
    };
    const isTorn = work.done < done && work.done < work.erases;
    if (isTorn) sectors.forEach((cell, index) => { if (cell === "#") sectors[index] = "x"; });
    for (let number = work.done; number < done; number += 1) put(number, ".", "+");
    if (work.seconds && done < work.erases + work.writes) put(done, "<", ">");
    return sectors.join("");
  }

  function exchanged([first, second, ...others], work, done) {
    const ahead = first.cells.length - work.exchanges;
    const swap = (one, other) => [...one.cells].map((cell, index) => {
      if (index === ahead + done && work.seconds) return ">";
      return index >= ahead + work.done && index < ahead + done ? other.cells[index] : cell;
    }).join("");
    return [{ ...first, cells: swap(first, second) }, { ...second, cells: swap(second, first) }, ...others];
  }

  function cells(slot) {
    return el("span", { class: "cells", role: "img", "aria-label": cellsInWords(slot) },
      ...[...slot.cells].map((cell) => el("i", { "data-cell": cell })));
  }

  function cellsInWords(slot) {
    const counts = d3.rollup([...slot.cells], (each) => each.length, (cell) => SECTORS[cell] ?? "not known");
    return [...counts].map(([word, number]) => `${number} ${word}`).join(", ");
  }

  function holdsInWords(slot) {
    if (!/[#+x]/.test(slot.cells)) return "empty";
    const what = slot.holds || "an image";
    return { empty: `${what}, in part`, partial: `${what}, in part`, flawed: `${what}, flawed` }[slot.state]
      ?? (slot.holds || "nothing whole");
  }

  /** What the slot is to the bootloader; empty for most. */
  function role(slot) {
    const trial = slot.trial ? " on trial" : "";
    if (slot.runs) return ` ▸ runs${trial}`;
    return slot.boots ? ` ▸ boots next${trial}` : "";
  }

  function slotRow(slot) {
    return el("li", {
      class: "slot", "data-slot": slot.name, "data-boots": String(slot.boots), "data-runs": String(slot.runs),
      "data-trial": String(slot.trial),
    },
      el("span", { class: "slot-name" }, slot.name),
      cells(slot),
      el("span", { class: "slot-holds" }, holdsInWords(slot),
        role(slot) ? el("b", { class: "boots" }, role(slot)) : ""));
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
      el("ul", { class: "slots" }, ...(state ? slotsAt(state, instant()) : []).map(slotRow)),
      ...(state?.stores ?? []).map(([name, value]) => el("p", { class: "store" }, `${name}: `, el("b", {}, value))),
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
        made.filter(([name]) => name).append("h3").attr("class", "group");
        made.append("div").attr("class", "cards");
        return made;
      });
    column.select("h3.group").text(([name]) => groupName(name));
    column.select(".cards").selectAll("article.flash").data(([, things]) => things, (thing) => thing.thing)
      .join((enter) => enter.append("article").attr("class", "flash").attr("data-thing", (thing) => thing.thing))
      .each(function each(thing) {
        drawCard(this, thing);
      });
  }

  drawLegend();
  section(["flash", "things", "now", "playhead", "filters"], draw);
}
