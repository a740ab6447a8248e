"use strict";
// What goes through all lanes: the axis of time above them, and the flags of what happened to all of them at once,
// whose lines go down through each lane.
{
  const FLAG_HEIGHT = 22;
  const FLAG_ROWS = 3;
  const GUTTER = 62;
  const RULED = 100;
  const MEASURED = 2000;

  /** The scale of the lanes that are that wide. */
  function timeScale(width) {
    return d3.scaleLinear(shownTime(), [GUTTER, Math.max(width - 8, GUTTER + 10)]);
  }

  /** The lines that are in sight, in the order of time. */
  function shownLines() {
    const [from, to] = shownTime();
    return data.lines.filter((line) => line.at >= from && line.at <= to && isLineDrawn(line)).sort((a, b) => a.at - b.at);
  }

  const ruler = document.createElement("canvas").getContext("2d");
  const measured = new Map();

  /** How wide a text is in bold letters of that many pixels. */
  function textWidth(text, size) {
    if (measured.size > MEASURED) measured.clear();
    if (!measured.has(text)) {
      ruler.font = `700 ${RULED}px ${getComputedStyle(document.body).fontFamily}`;
      measured.set(text, ruler.measureText(text).width / RULED);
    }
    return measured.get(text) * size;
  }

  /** Which of them are told first where there is no room for all. */
  const WEIGHT = ["deletion", "cancel", "deleted", "created", "fault", "ended"];

  /** Lines as flags, in the order of time: each with the row in which it has room, its text empty if it has none. */
  function flags(x, width) {
    const taken = Array.from({ length: FLAG_ROWS }, () => []);
    const lines = shownLines();
    const placed = new Map();
    for (const line of [...lines].sort((a, b) => WEIGHT.indexOf(a.kind) - WEIGHT.indexOf(b.kind))) {
      placed.set(line, place(line, x(line.at), width, taken));
    }
    return lines.map((line) => placed.get(line));
  }

  function place(line, at, width, taken) {
    const text = headline(line.text);
    const room = textWidth(text, 13) + 16;
    const from = Math.max(0, Math.min(at, width - room));
    const row = taken.findIndex((others) => others.every(([start, end]) => from + room + 4 <= start || from >= end + 4));
    if (row < 0) return { line, top: FLAG_ROWS * FLAG_HEIGHT, text: "", room: 8, height: 8, from: 0 };
    taken[row].push([from, from + room]);
    return { line, top: row * FLAG_HEIGHT, text, room, height: FLAG_HEIGHT - 3, from: from - at };
  }

  /** Draw the head of a column of lanes: flags and ticks. */
  function drawAxis(svg, width) {
    const x = timeScale(width);
    const rows = flags(x, width);
    const height = (d3.max(rows, (each) => each.top + each.height) ?? 0) + 27;
    svg.attr("height", height);
    drawPoles(svg, x, rows, height);
    drawTicks(svg, x, height, width);
    drawFlags(svg, x, rows);
  }

  /** All of them before the flags, so that none goes through what stands on another. */
  function drawPoles(svg, x, rows, height) {
    svg.selectAll("line.pole").data(rows).join("line").attr("class", "pole").attr("data-kind", ({ line }) => line.kind)
      .attr("x1", ({ line }) => x(line.at)).attr("x2", ({ line }) => x(line.at))
      .attr("y1", ({ top }) => top).attr("y2", height);
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

  function drawFlags(svg, x, rows) {
    const flag = svg.selectAll("g.flag").data(rows).join((enter) => {
      const group = enter.append("g").attr("class", "flag");
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
    flag.select("rect").attr("x", ({ from }) => from).attr("y", ({ top }) => top)
      .attr("width", ({ room }) => room).attr("height", ({ height }) => height).attr("rx", 2);
    flag.select("text").attr("x", ({ from }) => from + 8).attr("y", ({ top }) => top + 14)
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
