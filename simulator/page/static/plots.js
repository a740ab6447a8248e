"use strict";
// What every plot has: its width, its letters, and one sentence instead of its parts for who cannot see it.
{
  /** How wide a plot in the element of that id may be: half of it where there is room for two. */
  function plotWidth(id) {
    const room = byId(id).clientWidth;
    return Math.floor(room > 900 ? (room - 24) / 2 : room);
  }

  /** A picture by Plot; `words` say what is to be seen in it. */
  function plotted(words, options) {
    const svg = Plot.plot({ marginBottom: 38, style: { fontSize: "13px" }, ...options });
    for (const part of svg.querySelectorAll("[aria-label], [aria-hidden]")) {
      part.removeAttribute("aria-label");
      part.removeAttribute("aria-hidden");
    }
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", words);
    return svg;
  }

  /** A rule for each deletion. */
  function deletionRules() {
    return Plot.ruleX(data.lines.filter((line) => line.kind === "deletion"), { x: "at", stroke: "var(--bad)", strokeWidth: 3 });
  }

  Object.assign(window, { plotWidth, plotted, deletionRules });
}
