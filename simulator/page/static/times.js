"use strict";
// How long detection and recovery took: a dot for each time, of which a device may have several, or bars where there are too many; and the bound.
{
  const DOTS = 120;
  const FAR = 2.5;
  const NAMES = { detection: "until it knew", recovery: "until it was at the next job" };

  function inWords(given) {
    if (!Array.isArray(given)) return count(d3.sum(given.counts), "time");
    return `${count(given.length, "time")}, half within ${seconds(d3.median(given))}, all within ${seconds(d3.max(given))}`;
  }

  const value = (each) => each;

  function bars(given) {
    const bins = Array.isArray(given)
      ? d3.bin()(given).map((bin) => ({ number: bin.length, from: bin.x0, to: bin.x1 }))
      : given.counts.map((number, index) => ({ number, from: given.edges[index], to: given.edges[index + 1] }));
    return [Plot.rectY(bins, { x1: "from", x2: "to", y: "number", inset: 0.5, fill: "var(--accent)" }), Plot.ruleY([0])];
  }

  function dots(given) {
    return [Plot.dot(given, Plot.dodgeY("middle", { x: value, r: 6, fill: "var(--accent)", stroke: "var(--card)" }))];
  }

  /** The bound as a line; where it is far off, only where it would be found. */
  function boundMarks(bound, [, end]) {
    const text = { frameAnchor: "top-right", textAnchor: "end", fill: "var(--bad)", fontSize: 13, fontWeight: 600 };
    if (bound > end) return [Plot.text([`at most ${seconds(bound)} →`], { ...text, text: value })];
    return [
      Plot.ruleX([bound], { stroke: "var(--bad)", strokeWidth: 2, strokeDasharray: "6 4" }),
      Plot.text([`at most ${seconds(bound)}`], { ...text, frameAnchor: "top", x: () => bound, text: value, dx: -5 }),
    ];
  }

  /** One scale for both, so that they compare; the bound is on it unless it is far off. */
  function extent(times) {
    const longest = d3.max(Object.keys(NAMES), (name) => d3.max(times[name].edges ?? times[name])) || 1;
    const bound = times.bound ?? 0;
    return [0, (bound < longest * FAR ? Math.max(longest, bound) : longest) * 1.06];
  }

  function figure(name, times) {
    const given = times[name];
    const few = Array.isArray(given) && given.length <= DOTS;
    const bound = name === "detection" ? times.bound : null;
    const domain = extent(times);
    const drawn = plotted(`${NAMES[name]}: ${inWords(given)}`, {
      width: plotWidth("times-plots"), height: few ? 104 : 176, marginLeft: few ? 20 : 50, marginRight: 20,
      x: { domain, label: "seconds" },
      y: { axis: few ? null : "left", label: "times", grid: !few, ticks: 4 },
      marks: [...(bound === null ? [] : boundMarks(bound, domain)), ...(few ? dots(given) : bars(given))],
    });
    return el("figure", { "data-times": name }, el("figcaption", {}, el("b", {}, NAMES[name]), inWords(given)), drawn);
  }

  function isThere(given) {
    return Array.isArray(given) ? given.length > 0 : given.counts.length > 0;
  }

  section(["times", "size"], ({ times }) => {
    const names = Object.keys(NAMES).filter((name) => isThere(times[name]));
    byId("times").hidden = !names.length;
    byId("times-plots").replaceChildren(...names.map((name) => figure(name, times)));
  });
}
