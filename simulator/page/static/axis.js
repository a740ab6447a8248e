"use strict";
// What goes through all lanes: the axis of time above them, and the flags of what happened to all of them at once,
// whose lines go down through each lane.
{
  const FLAG_HEIGHT = 22;
  const FLAG_ROWS = 3;
  const GUTTER = 62;

  /** The scale of the lanes that are that wide. */
  function timeScale(width) {
    return d3.scaleLinear(shownTime(), [GUTTER, Math.max(width - 8, GUTTER + 10)]);
  }

  /** The lines that are in sight, in the order of time. */
  function shownLines() {
    const [from, to] = shownTime();
    return data.lines.filter((line) => line.at >= from && line.at <= to && isLineDrawn(line)).sort((a, b) => a.at - b.at);
  }

  /** How wide a text of that many pixels' height is, roughly and rather too wide. */
  function textWidth(text, size) {
    return text.length * size * 0.58;
  }

  /** Lines as flags: each with the row in which it has room, its text empty if there is none. */
  function flags(x, width) {
    const ends = Array(FLAG_ROWS).fill(-Infinity);
    return shownLines().map((line) => {
      const room = textWidth(line.text, 13) + 16;
      const left = x(line.at) + room > width;
      const start = left ? x(line.at) - room : x(line.at);
      const row = ends.findIndex((end) => end <= start);
      if (row < 0) return { line, row: FLAG_ROWS - 1, text: "", room: 12, left: false };
      ends[row] = start + room + 4;
      return { line, row, text: line.text, room, left };
    });
  }

  /** Draw the head of a column of lanes: flags and ticks. */
  function drawAxis(svg, width) {
    const x = timeScale(width);
    const rows = flags(x, width);
    const height = FLAG_HEIGHT * (d3.max(rows, (each) => each.row + 1) ?? 0) + 26;
    svg.attr("width", width).attr("height", height);
    drawTicks(svg, x, height, width);
    drawFlags(svg, x, rows, height);
  }

  function drawTicks(svg, x, height, width) {
    const ticks = x.ticks(Math.max(3, Math.min(10, width / 110)));
    const groups = svg.selectAll("g.tick").data(ticks).join((enter) => {
      const group = enter.append("g").attr("class", "tick");
      group.append("line");
      group.append("text");
      return group;
    });
    groups.attr("transform", (at) => `translate(${x(at)},${height})`);
    groups.select("line").attr("y1", -6).attr("y2", 0);
    groups.select("text").attr("y", -10).attr("text-anchor", "middle").text((at) => `${x.tickFormat(10)(at)} s`);
  }

  function drawFlags(svg, x, rows, height) {
    const flag = svg.selectAll("g.flag").data(rows).join((enter) => {
      const group = enter.append("g").attr("class", "flag");
      group.append("line");
      group.append("rect");
      group.append("text");
      group.append("title");
      return group;
    });
    flag.attr("data-kind", ({ line }) => line.kind).attr("data-event", ({ line }) => line.events?.[0] ?? null)
      .attr("transform", ({ line }) => `translate(${x(line.at)},0)`)
      .attr("role", "button").attr("tabindex", 0)
      .attr("aria-label", ({ line }) => `${seconds(line.at)}: ${line.text}`)
      .on("click", (_, { line }) => showRaw(line.events))
      .on("keydown", (event, { line }) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          showRaw(line.events);
        }
      });
    flag.select("line").attr("y1", ({ row }) => row * FLAG_HEIGHT).attr("y2", height);
    flag.select("rect").attr("x", ({ left, room }) => (left ? -room : 0)).attr("y", ({ row }) => row * FLAG_HEIGHT)
      .attr("width", ({ room }) => room).attr("height", FLAG_HEIGHT - 3).attr("rx", 2);
    flag.select("text").attr("x", ({ left, room }) => (left ? 8 - room : 8)).attr("y", ({ row }) => row * FLAG_HEIGHT + 14)
      .text(({ text }) => text);
    flag.select("title").text(({ line }) => `${seconds(line.at)}: ${line.text}`);
  }

  /** Draw the lines through one lane, behind what is in it. */
  function drawLines(group, x, height) {
    group.selectAll("line.through").data(shownLines()).join("line").attr("class", "through")
      .attr("data-kind", (line) => line.kind)
      .attr("x1", (line) => x(line.at)).attr("x2", (line) => x(line.at)).attr("y1", 0).attr("y2", height);
  }

  Object.assign(window, { GUTTER, timeScale, textWidth, drawAxis, drawLines });
}
