"use strict";
// The legend of the lanes: of what there is to see, what it means.
{
  const MAIN = new Set(["ghost", "suspect", "recovering", "off", "bricked", "told", "power-lost"]);

  function seen(data) {
    const spans = new Map(), marks = new Map();
    for (const { thing } of data.things) {
      const lane = data.lanes[thing];
      lane?.spans.forEach((span) => spans.set(`${span.track} ${span.kind}`, span));
      lane?.marks.forEach((mark) => marks.set(markKind(mark), mark));
    }
    return [inOrderOf(spans, Object.entries(SPANS).flatMap(([track, kinds]) => Object.keys(kinds).map((kind) => `${track} ${kind}`))),
      inOrderOf(marks, Object.keys(MARKS))];
  }

  function inOrderOf(found, order) {
    return [...found].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([, item]) => item);
  }

  function key(word, draw) {
    const made = el("span", { class: "key" });
    draw(d3.select(made).append("svg").attr("width", 20).attr("height", 16).attr("aria-hidden", "true"));
    made.append(word);
    return made;
  }

  function spanKey(span) {
    const word = spanWord(span.track, span.kind);
    return key(word, (svg) => {
      const group = svg.append("g").attr("class", "span").attr("data-track", span.track).attr("data-kind", span.kind);
      if (span.track === "ghost") svg.append("rect").attr("class", "shade").attr("data-shade", "ghost").attr("width", 20).attr("height", 16);
      else group.append("rect").attr("width", 20).attr("height", 14).attr("y", 1).attr("rx", 3);
    });
  }

  function markKey(mark) {
    return key(markRow(mark)[0], (svg) => svg.append("g").attr("class", "mark").attr("data-row", markKind(mark))
      .attr("transform", "translate(10,8)").append("path").attr("d", markRow(mark)[1]).attr("transform", "scale(.85)"));
  }

  section(["lanes", "things"], (data) => {
    const [spans, marks] = seen(data);
    const main = spans.filter((span) => MAIN.has(span.kind));
    fill(byId("legend-main"), ...main.map(spanKey), ...marks.filter((mark) => MAIN.has(markKind(mark))).map(markKey));
    fill(byId("legend"), ...spans.map(spanKey), ...marks.map(markKey));
  });
}
