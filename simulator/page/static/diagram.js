"use strict";
// The sequence diagram of a violation: who said what to whom, from above to below; and the same as text for Mermaid.
{
  const ROW = 38;
  const HEAD = 36;
  const LEFT = 66;
  const LEAST = 116;

  function layout(diagram, width) {
    const between = Math.max(LEAST, (width - LEFT - 30) / diagram.participants.length);
    const x = new Map(diagram.participants.map((name, index) => [name, LEFT + between * (index + 0.5)]));
    return { x, between, width: LEFT + between * diagram.participants.length, height: ROW * diagram.arrows.length + 24 };
  }

  function drawParticipants(svg, diagram, { x, between }) {
    const who = svg.selectAll("g.participant").data(diagram.participants).join("g").attr("class", "participant")
      .attr("transform", (name) => `translate(${x.get(name)},0)`);
    who.append("rect").attr("x", -between * 0.42).attr("width", between * 0.84).attr("y", 1).attr("height", 30).attr("rx", 4);
    who.append("text").attr("y", 21).attr("text-anchor", "middle").text((name) => shortened(name, between * 0.8, 15));
  }

  function drawLifelines(svg, diagram, { x, height }) {
    svg.selectAll("line.life").data(diagram.participants).join("line").attr("class", "life")
      .attr("x1", (name) => x.get(name)).attr("x2", (name) => x.get(name)).attr("y1", 0).attr("y2", height);
  }

  function shortened(text, room, size) {
    const letters = Math.floor((text.length * room) / Math.max(textWidth(text, size), 1));
    return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
  }

  function drawArrow(group, arrow, { x, between, width }) {
    const from = x.get(arrow.from), to = x.get(arrow.to);
    group.append("title").text(`${seconds(arrow.at)}: ${arrow.text}`);
    group.append("text").attr("class", "when").attr("x", LEFT - 12).attr("text-anchor", "end").attr("dy", 4).text(seconds(arrow.at));
    if (from === to || to === undefined) drawNote(group, arrow, from ?? LEFT, between, width);
    else drawLine(group, arrow, from, to);
  }

  function drawLine(group, arrow, from, to) {
    const way = Math.sign(to - from);
    const end = arrow.ok === false ? (from + to) / 2 + way * 30 : to - way * 3;
    group.append("line").attr("class", "arrow").attr("x1", from).attr("x2", end);
    if (arrow.ok === false) {
      group.append("path").attr("class", "lost").attr("d", MARKS.lost[1]).attr("transform", `translate(${end + way * 8},0)`);
    } else group.append("path").attr("class", "head").attr("d", `M0 0L${-10 * way} -6V6Z`).attr("transform", `translate(${end},0)`);
    group.append("text").attr("class", "said").attr("x", (from + to) / 2).attr("y", -7).attr("text-anchor", "middle")
      .text(shortened(arrow.text, Math.abs(to - from) - 16, 13));
  }

  function drawNote(group, arrow, at, between, width) {
    const wide = Math.min(textWidth(arrow.text, 13) + 20, between * 1.6);
    const left = Math.max(LEFT, Math.min(at - wide / 2, width - wide - 4));
    group.append("rect").attr("class", "note-box").attr("x", left).attr("y", -14).attr("width", wide).attr("height", 28).attr("rx", 3);
    group.append("text").attr("class", "said").attr("x", left + wide / 2).attr("y", 4).attr("text-anchor", "middle")
      .text(shortened(arrow.text, wide - 10, 13));
  }

  function pressable(arrow) {
    arrow.attr("role", (each) => (each.id ? "button" : null)).attr("tabindex", (each) => (each.id ? 0 : null))
      .attr("data-event", (each) => each.id).attr("aria-label", (each) => `${seconds(each.at)}: ${each.text}`)
      .on("click", (_, each) => each.id && showRaw([each.id]))
      .on("keydown", (event, each) => {
        if (each.id && (event.key === "Enter" || event.key === " ")) {
          event.preventDefault();
          showRaw([each.id]);
        }
      });
  }

  /** Draw that diagram into #diagram, under that heading, with those entries marked that show the violation. */
  window.showDiagram = (diagram, heading, shown) => {
    byId("diagram-section").hidden = false;
    byId("diagram-heading").textContent = heading;
    byId("mermaid").textContent = diagram.mermaid;
    byId("mermaid-copied").textContent = "";
    byId("diagram").replaceChildren();
    const plan = layout(diagram, byId("diagram").clientWidth);
    const head = d3.select("#diagram").append("svg").attr("class", "diagram-head").attr("role", "img")
      .attr("aria-label", diagram.participants.join(", ")).attr("width", plan.width).attr("height", HEAD);
    drawParticipants(head, diagram, plan);
    const svg = d3.select("#diagram").append("svg").attr("role", "group").attr("aria-label", heading)
      .attr("width", plan.width).attr("height", plan.height);
    drawLifelines(svg, diagram, plan);
    const arrows = svg.selectAll("g.message").data(diagram.arrows).join("g").attr("class", "message")
      .attr("data-ok", (arrow) => String(arrow.ok !== false))
      .attr("data-shows", (arrow) => String(shown.includes(arrow.id)))
      .attr("transform", (_, index) => `translate(0,${ROW * (index + 0.65)})`);
    arrows.append("rect").attr("class", "band").attr("y", -ROW * 0.6).attr("width", plan.width).attr("height", ROW);
    pressable(arrows);
    arrows.each(function each(arrow) {
      drawArrow(d3.select(this), arrow, plan);
    });
    const first = diagram.arrows.findIndex((arrow) => shown.includes(arrow.id));
    byId("diagram").scrollTop = Math.max(0, (first - 6) * ROW);
  };

  byId("mermaid-copy").addEventListener("click", async () => {
    byId("mermaid-copied").textContent = await copy(byId("mermaid")) ? "Copied." : "Selected: copy it with Ctrl C.";
  });

  /** Into the clipboard; where the browser does not let us, it is selected. */
  async function copy(element) {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(element);
      return false;
    }
  }
}
