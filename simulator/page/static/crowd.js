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

  function colours(states) {
    let other = 0;
    return states.map((state) => COLOURS[state] ?? OTHERS[other++ % OTHERS.length]);
  }

  /** The name of each state where most devices are in it, in the middle of its area, if there is room for it. */
  function labels(crowd, states) {
    const most = d3.max(crowd.bins, (_, index) => d3.sum(states, (state) => crowd.states[state][index])) ?? 0;
    return states.flatMap((state, number) => {
      const index = d3.maxIndex(crowd.states[state]);
      const height = crowd.states[state][index] ?? 0;
      if (height < most * LABELLED) return [];
      const below = d3.sum(states.slice(0, number), (each) => crowd.states[each][index]);
      return [{ at: middleOf(crowd, state, height), y: below + height / 2, state }];
    });
  }

  /** The middle of the time in which as many as that are in it. */
  function middleOf(crowd, state, height) {
    const bins = crowd.bins.filter((_, index) => crowd.states[state][index] === height);
    return (bins[0] + bins.at(-1)) / 2;
  }

  function figure(words, drawn) {
    return el("figure", {}, el("figcaption", {}, el("b", {}, words)), drawn);
  }

  function stacked(crowd, states, domain) {
    const rows = states.flatMap((state) => crowd.bins.map((at, index) => ({ at, state, number: crowd.states[state][index] })));
    return Plot.plot({
      width: plotWidth("crowd-plots"), height: 260, marginLeft: 52, marginBottom: 38, style: { fontSize: "13px" }, ariaLabel: "Devices by state over time",
      x: { label: "seconds" }, y: { label: "devices", grid: true }, color: { domain: states, range: domain },
      marks: [Plot.areaY(rows, { x: "at", y: "number", fill: "state", order: states, curve: "step-after" }), deletions(),
        Plot.text(labels(crowd, states), { x: "at", y: "y", text: "state", fontSize: 15, fontWeight: 700, fill: (each) => (DARK.has(each.state) ? "#fff" : "#131820") }),
        Plot.ruleY([0])],
    });
  }

  function asked(crowd) {
    return Plot.plot({
      width: plotWidth("crowd-plots"), height: 260, marginLeft: 52, marginBottom: 38, style: { fontSize: "13px" }, ariaLabel: "Requests over time",
      x: { label: "seconds" }, y: { label: "requests", grid: true },
      marks: [Plot.areaY(crowd.requests, { x: (_, index) => crowd.bins[index], y: (value) => value, fill: "var(--accent)", fillOpacity: 0.35, curve: "step-after" }),
        Plot.lineY(crowd.requests, { x: (_, index) => crowd.bins[index], y: (value) => value, stroke: "var(--accent)", strokeWidth: 2, curve: "step-after" }),
        deletions(), Plot.ruleY([0])],
    });
  }

  function deletions() {
    return Plot.ruleX(data.lines.filter((line) => line.kind === "deletion"), { x: "at", stroke: "var(--bad)", strokeWidth: 3 });
  }

  function heat(crowd, states, palette) {
    const { rows, cells } = crowd.heat;
    const canvas = el("canvas", { class: "heat", width: crowd.bins.length, height: rows.length, role: "img",
      "aria-label": `${count(rows.length, "row")} of devices over time, the quickest to recover above` });
    const context = canvas.getContext("2d");
    cells.forEach((row, y) => row.forEach((state, x) => {
      context.fillStyle = palette[state] ?? "transparent";
      context.fillRect(x, y, 1, 1);
    }));
    return el("div", { class: "heat-frame" }, canvas,
      el("p", { class: "heat-ends" }, el("span", {}, rows[0] ?? ""), el("span", {}, rows.at(-1) ?? "")));
  }

  function drawLegend(data, states, palette) {
    fill(byId("crowd-legend"), ...states.map((state, index) => {
      const square = el("i", { class: "square" });
      square.style.setProperty("--fill", palette[index]);
      return el("span", { class: "key" }, square, `${state} ${(data.counts[state] ?? 0).toLocaleString("en")}`);
    }));
  }

  function draw(data) {
    byId("crowd").hidden = !data.crowd;
    if (!data.crowd) return;
    const states = Object.keys(data.crowd.states);
    const palette = colours(states);
    drawLegend(data, states, palette);
    byId("crowd-plots").replaceChildren(
      figure("Devices by state", stacked(data.crowd, states, palette)),
      figure("Requests", asked(data.crowd)));
    if (data.crowd.heat) byId("crowd-plots").append(figure("Each device", heat(data.crowd, states, palette)));
  }

  section(["crowd", "counts", "lines", "size"], draw);
}
