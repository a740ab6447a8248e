"use strict";
// A hundred devices and more: how many are in which state over time, how much they ask, and each of them as a row of a
// heat map, the quickest to recover above.
{
  /** As bright as they differ in what they mean, so that they can be told apart without their colours. */
  const COLOURS = {
    idle: "#d5dce4", starting: "#93c5e8", executing: "#4385e6", reporting: "#2aa198", trial: "#d98a1f", suspect: "#f7ca3e",
    recovering: "#5a22b0", safe: "#c62a2f", offline: "#98a2ae", off: "#2b2b2b", crashed: "#d6006c", bricked: "#7c0a13",
  };
  const OTHERS = ["#5b7a3a", "#a0764a", "#3d5a80", "#777777"];
  const DARK = new Set(["executing", "recovering", "safe", "off", "crashed", "bricked"]);
  const LABELLED = 0.09;
  const NEARLY = 0.7;
  const LETTERS = 15;
  const HEIGHT = 260;

  function colours(states) {
    let other = 0;
    return states.map((state) => COLOURS[state] ?? OTHERS[other++ % OTHERS.length]);
  }

  /** The name of each state in the middle of its area where that is highest, if there is room for it. */
  function labels(crowd, states, width) {
    const all = d3.max(crowd.bins, (_, index) => d3.sum(states, (state) => crowd.states[state][index])) ?? 0;
    return states.flatMap((state, number) => {
      const [first, last] = highest(crowd.states[state]);
      const index = Math.floor((first + last) / 2);
      const height = crowd.states[state][index] ?? 0;
      const room = ((last - first + 1) * width) / crowd.bins.length;
      if (height < all * LABELLED || room < textWidth(state, LETTERS)) return [];
      const below = d3.sum(states.slice(0, number), (each) => crowd.states[each][index]);
      return [{ at: crowd.bins[index], y: below + height / 2, state }];
    });
  }

  /** From where to where they are nearly as many as they ever are, the first time. */
  function highest(numbers) {
    const most = d3.max(numbers) * NEARLY;
    const first = numbers.findIndex((number) => number >= most);
    const after = numbers.findIndex((number, index) => index > first && number < most);
    return [first, (after < 0 ? numbers.length : after) - 1];
  }

  function byState(crowd, states, palette) {
    const rows = states.flatMap((state) => crowd.bins.map((at, index) => ({ at, state, number: crowd.states[state][index] })));
    return plotted("Devices by state over time", {
      width: plotWidth("crowd-plots"), height: HEIGHT, marginLeft: 52,
      x: { label: "seconds" }, y: { label: "devices", grid: true }, color: { domain: states, range: palette },
      marks: [
        Plot.areaY(rows, { x: "at", y: "number", fill: "state", order: states, curve: "step-after" }),
        deletionRules(),
        Plot.text(labels(crowd, states, plotWidth("crowd-plots") - 72), {
          x: "at", y: "y", text: "state", fontSize: LETTERS, fontWeight: 700, fill: (each) => (DARK.has(each.state) ? "#fff" : "#131820"),
        }),
        Plot.ruleY([0]),
      ],
    });
  }

  function asked(crowd) {
    const curve = { x: (_, index) => crowd.bins[index], y: (number) => number, curve: "step-after" };
    return plotted("Requests over time", {
      width: plotWidth("crowd-plots"), height: HEIGHT, marginLeft: 52,
      x: { label: "seconds" }, y: { label: "requests", grid: true },
      marks: [
        Plot.areaY(crowd.requests, { ...curve, fill: "var(--accent)", fillOpacity: 0.35 }),
        Plot.lineY(crowd.requests, { ...curve, stroke: "var(--accent)", strokeWidth: 2 }),
        deletionRules(), Plot.ruleY([0]),
      ],
    });
  }

  function heat({ bins, heat: { rows, cells } }, palette) {
    const canvas = el("canvas", {
      class: "heat", width: bins.length, height: rows.length, role: "img",
      "aria-label": `${count(rows.length, "row")} of devices over time, the quickest to recover above`,
    });
    const context = canvas.getContext("2d");
    cells.forEach((row, y) => row.forEach((state, x) => {
      context.fillStyle = palette[state] ?? "transparent";
      context.fillRect(x, y, 1, 1);
    }));
    return el("div", { class: "heat-frame" }, el("p", { class: "note" }, `above: ${rows[0]}`), canvas,
      el("p", { class: "note" }, `below: ${rows.at(-1)}`));
  }

  function drawLegend(data, states, palette) {
    fill(byId("crowd-legend"), ...states.map((state, index) => {
      const square = el("i", { class: "square" });
      square.style.setProperty("--fill", palette[index]);
      return el("span", { class: "key" }, square, `${state} ${(data.counts[state] ?? 0).toLocaleString("en")}`);
    }));
  }

  function figure(words, drawn) {
    return el("figure", {}, el("figcaption", {}, el("b", {}, words)), drawn);
  }

  section(["crowd", "counts", "lines", "size"], (data) => {
    const { crowd } = data;
    byId("crowd").hidden = !crowd;
    if (!crowd) return;
    const states = Object.keys(crowd.states);
    const palette = colours(states);
    drawLegend(data, states, palette);
    byId("crowd-plots").replaceChildren(
      figure("Devices by state", byState(crowd, states, palette)), figure("Requests", asked(crowd)),
      ...(crowd.heat.rows.length ? [figure("Each device", heat(crowd, palette))] : []));
  });
}
