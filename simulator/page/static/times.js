"use strict";
// How long detection and recovery took: a dot for each device, or bars where there are too many; and the bound.
{
  const DOTS = 120;
  const NAMES = { detection: "until it knew", recovery: "until it was at the next job" };

  function values(given) {
    return Array.isArray(given) ? given : [];
  }

  function inWords(given) {
    const list = values(given);
    if (!list.length) return given.counts ? count(d3.sum(given.counts), "device") : "";
    return `${count(list.length, "device")}, half within ${seconds(d3.median(list))}, all within ${seconds(d3.max(list))}`;
  }

  function marks(given) {
    if (!Array.isArray(given)) {
      const bars = given.counts.map((number, index) => ({ number, from: given.edges[index], to: given.edges[index + 1] }));
      return [Plot.rectY(bars, { x1: "from", x2: "to", y: "number", inset: 0.5, fill: "var(--accent)" }), Plot.ruleY([0])];
    }
    if (given.length > DOTS) {
      return [Plot.rectY(given, Plot.binX({ y: "count" }, { x: (value) => value, inset: 0.5, fill: "var(--accent)" })), Plot.ruleY([0])];
    }
    return [Plot.dot(given, Plot.dodgeY("middle", { x: (value) => value, r: 6, fill: "var(--accent)", stroke: "var(--card)" }))];
  }

  function extent(times) {
    const all = Object.keys(NAMES).flatMap((name) => Array.isArray(times[name]) ? times[name] : times[name].edges);
    return [0, Math.max(d3.max(all) ?? 1, times.bound ?? 0) * 1.05 || 1];
  }

  function plot(name, data) {
    const given = data.times[name];
    const dots = Array.isArray(given) && given.length <= DOTS;
    const bound = name === "detection" ? data.times.bound : null;
    const words = `${NAMES[name]}: ${inWords(given)}`;
    const drawn = Plot.plot({
      width: plotWidth("times-plots"), height: dots ? 104 : 176, marginBottom: 38, marginLeft: dots ? 20 : 50, marginRight: 20, ariaLabel: words,
      style: { fontSize: "13px" }, x: { domain: extent(data.times), label: "seconds", nice: true },
      y: { axis: dots ? null : "left", label: "devices", grid: !dots, ticks: 4 },
      marks: [...(bound ? [Plot.ruleX([bound], { stroke: "var(--bad)", strokeWidth: 2, strokeDasharray: "6 4" }),
        Plot.text([bound], { x: (value) => value, text: () => "bound", frameAnchor: "top", textAnchor: "end", dx: -5, fill: "var(--bad)", fontSize: 13 })] : []),
      ...marks(given)],
    });
    drawn.setAttribute("role", "img");
    return el("figure", { "data-times": name, "data-dots": String(dots) }, el("figcaption", {}, el("b", {}, NAMES[name]), inWords(given)), drawn);
  }

  function draw(data) {
    const names = Object.keys(NAMES).filter((name) => data.times[name]?.length || data.times[name]?.counts);
    byId("times").hidden = !names.length;
    byId("times-plots").replaceChildren();
    byId("times-plots").append(...names.map((name) => plot(name, data)));
  }

  section(["times", "size"], draw);
}

/** How wide a plot in there may be. */
function plotWidth(id) {
  const room = byId(id).clientWidth;
  return Math.floor(room > 900 ? (room - 24) / 2 : room);
}
