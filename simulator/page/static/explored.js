"use strict";
// A search through every order of events: how far it went, within which bounds, what was found, and what a device did.
{
  const SORTS = {
    violated: ["failed", "violated"], stuck: ["failed", "never comes home"], cycle: ["failed", "goes round for ever"],
    undecidable: ["inconclusive", "nobody could have told"], undecided: ["inconclusive", "stayed open"],
  };

  function answer(explored) {
    if (explored.walks) {
      return `${count(explored.walks, "random walk")}, ${count(explored.transitions, "choice")}. The world is ${explored.world}.`;
    }
    const how = explored.complete ? "Complete within its bounds" : `Not complete, stopped by ${explored.stopped_by}`;
    return `${how}: ${count(explored.states, "state")}, ${count(explored.transitions, "transition")}, to a depth of ` +
      `${count(explored.depth, "choice")}. Explored is ${explored.world}.`;
  }

  /** Of each kind of trouble how much of it there is, and how many of the states have spent it. */
  function bounds(explored) {
    if (!explored.bounds.length) return el("p", {}, explored.walks ? "" : "Nothing befalls it: the bounds are all 0.");
    return el("table", {},
      el("thead", {}, el("tr", {}, ...["trouble", "at most", "spent by the states"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...explored.bounds.map((bound) => el("tr", {},
        el("th", { scope: "row" }, bound.kind), el("td", {}, String(bound.bound)), el("td", {}, shares(bound.states))))));
  }

  function shares(states) {
    const all = Math.max(states.reduce((sum, each) => sum + each, 0), 1);
    return states.map((each, spent) => `${spent}: ${Math.round((100 * each) / all)} %`).join(", ");
  }

  function finding(each) {
    const [outcome, word] = SORTS[each.sort];
    const way = [...each.way, ...each.loop];
    return el("div", { class: "finding", "data-sort": each.sort },
      el("h3", {}, el("span", { class: "outcome", "data-outcome": outcome }, icon(outcomeWords(outcome)[0]), word),
        ` ${each.invariant}: ${each.why}`),
      each.argument ? el("p", {}, `${each.argument} ${each.avoid}`) : "",
      each.schedule ? el("p", { class: "note" }, `To play it again: ghostjob replay ${each.schedule}`) : "",
      el("details", {}, el("summary", {}, `The shortest way: ${count(each.way.length, "choice")}`),
        el("ol", {}, ...way.map((choice, at) =>
          el("li", {}, at === each.way.length ? `and round and round: ${choice}` : choice)))));
  }

  function did(cell, explored) {
    const rest = explored.complete ? "no way home from there" : "its way home was not seen before the search stopped";
    return [cell.did, cell.home ? "" : rest].filter(Boolean).join("; ");
  }

  function cells(explored) {
    return el("table", {},
      el("thead", {}, el("tr", {}, ...["disruption", "while it is", "times", "what the device did"].map((name) =>
        el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...explored.cells.map((cell) => el("tr", {},
        el("th", { scope: "row" }, cell.kind), el("td", {}, cell.phase), el("td", { class: "number" }, String(cell.times)),
        el("td", {}, did(cell, explored))))));
  }

  function draw({ explored }) {
    byId("explored-section").hidden = !explored;
    if (!explored) return;
    byId("explored-answer").textContent = visible(answer(explored));
    fill(byId("explored-bounds"), bounds(explored));
    fill(byId("explored-left-out").querySelector("ul"), ...explored.leaves_out.map((each) => el("li", {}, each)));
    fill(byId("explored-findings"), ...explored.findings.map(finding));
    byId("explored-cells-heading").hidden = byId("explored-cells").hidden = !explored.cells.length;
    fill(byId("explored-cells"), cells(explored));
  }

  section(["explored"], draw);
}
