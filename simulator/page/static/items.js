"use strict";
// What is in one lane: spans as bars in their tracks, marks as signs, what the device does not know yet as a shade over
// all of it.
{
  const SHADES = new Set(["ghost", "off", "bricked"]);
  const SHORT = 2.5;
  const FREE = ["cloud", "wire", "agent", "hardware"];
  const BELOW = 4;

  /** Where tracks lie in a lane: by how many there are to be seen, and whether the name stands above. */
  function lanePlan(lanes, narrow) {
    const tracks = tracksSeen();
    const usual = lanes <= 2 ? 30 : lanes <= 5 ? 22 : 14;
    const track = Math.min(usual * TRACKS.length / tracks.length, 30);
    const top = narrow ? 32 : 6;
    const step = track + (lanes <= 5 ? 3 : 2);
    const font = track >= 30 ? 15 : track >= 22 ? 14 : 11.5;
    return { tracks, track, step, top, font, height: top + tracks.length * step + 4 };
  }

  /** Of devices that are not ours, the tracks that anybody can see into. */
  function tracksSeen() {
    if (data.kind === "run" || data.kind === "explore") return TRACKS;
    const isSeen = (track) => Object.values(data.lanes).some((lane) =>
      lane.spans.some((span) => span.track === track) || lane.marks.some((mark) => mark.track === track));
    return TRACKS.filter((track) => ["cloud", "wire"].includes(track) || isSeen(track));
  }

  function yOf(plan, track) {
    return plan.top + plan.tracks.indexOf(track) * plan.step;
  }

  /** The items of a lane that are in sight, as they are drawn: {key, track, kind, from, to, text, words, events}. */
  function itemsOf(lane, [from, to]) {
    const spans = lane.spans.filter((span) => isDrawn(span) && span.start <= to && (span.end ?? data.now) >= from);
    const marks = lane.marks.filter((mark) => isDrawn(mark) && mark.at >= from && mark.at <= to);
    return { spans: spans.map(asSpan).sort((a, b) => isAtWork(a) - isAtWork(b)), marks: marks.map(asMark) };
  }

  /** What is drawn last: of the jobs that a device has at once, the one in progress lies above those that wait. */
  function isAtWork(span) {
    return span.kind !== "QUEUED";
  }

  function asSpan(span) {
    const word = spanWord(span.track, span.kind);
    const end = span.end ?? data.now;
    return {
      ...span, word, end, at: span.start, key: `${span.track} ${span.kind} ${span.start} ${span.namespace} ${span.job} ${span.events?.[0]}`,
      words: `${seconds(span.start)} to ${span.end === null ? "now" : seconds(end)}, ${span.track}: ${span.text || word}`
        + (span.job ? `, job ${span.job}` : ""),
    };
  }

  function asMark(mark) {
    return {
      ...mark, row: markKind(mark), key: `${mark.track} ${mark.kind} ${mark.at} ${mark.events?.[0] ?? mark.text}`,
      words: `${seconds(mark.at)}, ${mark.track}: ${mark.text || markRow(mark)[0]}`,
    };
  }

  /** Of several texts the first that has room; nothing if none has. */
  function fitting(texts, room, size) {
    return texts.find((text) => text && textWidth(text, size) + 8 <= room) ?? "";
  }

  /** What can be written on a bar, the longest first. */
  function writings(span) {
    if (span.track === "agent") return [span.word];
    if (span.kind === "bricked") return [`bricked: ${span.text}`, "bricked"];
    return [span.text, headline(span.text).split(",")[0], span.kind === "step" ? "" : span.word];
  }

  /** Draw the items of one lane. `choose` is called with an item that was clicked or entered. */
  function drawItems(layers, items, x, plan, choose) {
    drawShades(layers.shades, items.spans.filter((span) => SHADES.has(shadeOf(span))), x, plan);
    drawSpans(layers.spans, items, x, plan, choose);
    drawMarks(layers.marks, items.marks, x, plan, choose);
  }

  function shadeOf(span) {
    return span.track === "ghost" ? "ghost" : span.kind;
  }

  function reach(span, x) {
    const [from, to] = x.range();
    const left = Math.max(x(span.start), from);
    return [left, Math.max(Math.min(x(span.end), to) - left, SHORT)];
  }

  function drawShades(layer, spans, x, plan) {
    layer.selectAll("rect").data(spans, (span) => span.key).join("rect").attr("class", "shade")
      .attr("data-shade", shadeOf)
      .attr("x", (span) => reach(span, x)[0]).attr("width", (span) => reach(span, x)[1])
      .attr("y", plan.top - 4).attr("height", plan.height - plan.top + 2);
  }

  /** A new group for each item, in which Enter and a click call `choose`; `parts` are what it is drawn with. */
  function newItems(enter, name, parts, choose) {
    const group = enter.append("g").attr("class", `${name} item`).attr("tabindex", -1).attr("role", "button")
      .attr("data-track", (item) => item.track).attr("data-kind", (item) => item.kind)
      .on("click", (event, item) => choose(event.currentTarget, item));
    for (const part of [...parts, "title"]) group.append(part);
    return group;
  }

  /** Most of an item is as it was drawn last: `draw` only what has to do with `look`, if that is another. */
  function ifChanged(node, look, draw) {
    if (node.look === look) return;
    node.look = look;
    draw();
  }

  function nameItem(item, node) {
    const words = item.words;
    node.attr("aria-label", words).attr("data-event", item.events?.[0] ?? null).select("title").text(words);
  }

  function drawSpans(layer, { spans, marks }, x, plan, choose) {
    layer.selectAll("g.span").data(spans, (span) => span.key)
      .join((enter) => newItems(enter, "span", ["rect", "text"], choose))
      .each(function each(span) {
        if (span.track === "ghost") drawGhost(this, span, spans, x, plan);
        else drawSpan(this, span, x, plan, marginOf(span, marks, x, plan));
      });
  }

  /** A line below all tracks, as long as it did not know; the words where no bar is. */
  function drawGhost(node, ghost, spans, x, plan) {
    const bar = d3.select(node);
    const [left, width] = reach(ghost, x);
    const room = textWidth(ghost.word, plan.font) + 8;
    const free = room > width ? undefined : FREE.find((track) => spans.every((span) =>
      span.track !== track || reach(span, x)[0] >= left + room || reach(span, x)[0] + reach(span, x)[1] <= left + 1));
    const top = plan.height - BELOW;
    bar.attr("transform", `translate(${left},${top})`).select("rect").attr("width", width).attr("height", BELOW);
    ifChanged(node, `${free} ${plan.track} ${ghost.words}`, () => {
      bar.select("text").attr("x", 5).attr("y", free ? yOf(plan, free) + plan.track / 2 - top : 0).attr("dy", "0.35em")
        .style("font-size", `${plan.font}px`).text(free ? ghost.word : "");
      nameItem(ghost, bar);
    });
  }

  /** Where writing begins in a bar: past the sign that stands at its beginning, if there is one. */
  function marginOf(span, marks, x, plan) {
    const left = reach(span, x)[0];
    const covered = span.track !== "wire" && marks.some((mark) => mark.track === span.track && Math.abs(x(mark.at) - left) < plan.track * 0.6);
    return covered ? Math.min(plan.track, 22) * 0.7 : 5;
  }

  function drawSpan(node, span, x, plan, margin) {
    const bar = d3.select(node);
    const [left, width] = reach(span, x);
    const text = fitting(writings(span), width - margin, plan.font);
    bar.attr("transform", `translate(${left},${yOf(plan, span.track)})`);
    bar.select("rect").attr("width", width).attr("rx", width > 8 ? 3 : 0);
    ifChanged(node, `${text} ${margin} ${plan.track} ${span.words}`, () => {
      bar.select("rect").attr("height", plan.track);
      bar.select("text").attr("x", margin).attr("y", plan.track / 2).attr("dy", "0.35em").style("font-size", `${plan.font}px`).text(text);
      nameItem(span, bar);
    });
  }

  function drawMarks(layer, marks, x, plan, choose) {
    layer.selectAll("g.mark").data(marks, (mark) => mark.key)
      .join((enter) => newItems(enter, "mark", ["rect", "path"], choose))
      .each(function each(mark) {
        drawMark(this, mark, x, plan);
      });
  }

  function drawMark(node, mark, x, plan) {
    const sign = d3.select(node);
    const wire = mark.track === "wire";
    const middle = wire ? plan.track * (mark.kind === "to-cloud" ? 0.26 : 0.74) : plan.track / 2;
    sign.attr("transform", `translate(${x(mark.at)},${yOf(plan, mark.track) + middle})`);
    ifChanged(node, `${mark.row} ${plan.track} ${mark.words}`, () => {
      const size = wire ? plan.track * 0.52 : Math.min(plan.track * 0.95, 22);
      sign.attr("data-row", mark.row);
      sign.select("path").attr("d", markRow(mark)[1]).attr("transform", `scale(${size / 16})`);
      sign.select("rect").attr("class", "hit").attr("x", -size / 2 - 1).attr("y", -size / 2).attr("width", size + 2).attr("height", size);
      nameItem(mark, sign);
    });
  }

  Object.assign(window, { lanePlan, yOf, itemsOf, drawItems });
}
