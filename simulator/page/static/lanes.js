"use strict";
// The swim lanes: one for each device, in columns where a good one stands beside a bad one.
{
  const NARROW = 720;
  const AT_ONCE = 30;
  const COMPACT = 20;
  const inSight = new Map();
  const watcher = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) inSight.set(target.dataset.thing, isIntersecting);
    say("sight");
  }, { rootMargin: "300px" });

  function columns(groups) {
    const all = d3.select("#lanes-columns").attr("data-columns", groups.length)
      .selectAll("div.column").data(groups, ([name]) => name).join((enter) => {
        const column = enter.append("div").attr("class", "column").attr("data-group", ([name]) => name);
        column.filter(([name]) => name).append("h3").attr("class", "group");
        column.append("svg").attr("class", "axis").attr("role", "group").attr("aria-label", "Time, and what happened to all");
        column.append("div").attr("class", "lane-list");
        return column;
      });
    all.select("h3.group").text(([name]) => groupName(name));
    return all;
  }

  function newLanes(enter) {
    const lane = enter.append("div").attr("class", "lane").attr("data-thing", (thing) => thing.thing);
    lane.append("div").attr("class", "who");
    const svg = lane.append("svg").attr("role", "group").attr("tabindex", 0);
    for (const layer of ["names", "shades", "lines", "spans", "marks", "playhead"]) svg.append("g").attr("class", layer);
    svg.each(function each() {
      followHands(this);
    });
    lane.each(function each() {
      watcher.observe(this);
    });
    return lane;
  }

  function drawWho(node, thing) {
    const doing = [thing.step, thing.knows].filter(Boolean).join(" · ") || (thing.version ? `version ${thing.version}` : "");
    const state = thing.bricked ? [icon("bricked"), "bricked"] : [stateWords(thing)];
    fill(node,
      el("h3", { class: "thing", title: thing.thing }, thing.thing),
      el("p", { class: "state" }, ...state),
      thing.violated.length ? el("p", { class: "violated" }, icon("failed"), ` ${thing.violated.join(", ")}`) : null,
      el("p", { class: "doing", title: doing }, doing));
  }

  function stateWords({ state, online }) {
    return online || ["off", "offline", "crashed"].includes(state) ? state : `${state}, off line`;
  }

  function drawLane(node, thing, plan, width) {
    const lane = data.lanes[thing.thing] ?? { spans: [], marks: [] };
    const svg = d3.select(node).select(":scope > svg").attr("width", width).attr("height", plan.height);
    const x = timeScale(width);
    const items = itemsOf(lane, shownTime());
    const layer = (name) => svg.select(`g.${name}`);
    drawTrackNames(layer("names"), plan);
    drawLines(layer("lines"), x, plan.height);
    drawItems({ shades: layer("shades"), spans: layer("spans"), marks: layer("marks") }, items, x, plan,
      (target, item) => {
        hold(target);
        showRaw(item.events);
      });
    drawPlayhead(layer("playhead"), x, plan.height);
    svg.attr("aria-label", `${thing.thing}: ${count(items.spans.length + items.marks.length, "event")} in sight`);
    rove(svg.node());
  }

  function drawTrackNames(group, plan) {
    group.selectAll("text").data(plan.tracks).join("text").attr("x", GUTTER - 8).attr("text-anchor", "end")
      .attr("y", (track) => yOf(plan, track) + plan.track / 2).attr("dy", "0.35em").text((track) => track);
  }

  function drawPlayhead(group, x, height) {
    const at = playhead();
    group.selectAll("line").data(at === null ? [] : [at]).join("line")
      .attr("x1", x).attr("x2", x).attr("y1", 0).attr("y2", height);
  }

  function draw(data) {
    const groups = shownGroups();
    const shown = d3.sum(groups, ([, things]) => things.length);
    drawNote(data, shown);
    columns(groups).each(function each([, things]) {
      drawColumn(d3.select(this), things, shown / groups.length);
    });
  }

  function drawColumn(column, things, lanes) {
    const lane = column.select(".lane-list").selectAll("div.lane").data(things, (thing) => thing.thing).join(newLanes);
    lane.attr("data-state", (thing) => thing.state).attr("data-bricked", (thing) => String(thing.bricked))
      .attr("data-group", (thing) => thing.group || null);
    lane.select(".who").each(function each(thing) {
      drawWho(this, thing);
    });
    const whole = column.node().clientWidth;
    const narrow = whole < NARROW;
    column.classed("narrow", narrow);
    const width = narrow ? whole : whole - whoWidth();
    const plan = lanePlan(lanes, narrow);
    column.classed("compact", plan.track < COMPACT);
    column.select("svg.axis").style("width", `${whole}px`).style("padding-left", `${whole - width}px`);
    drawAxis(column.select("svg.axis"), width);
    lane.each(function each(thing) {
      d3.select(this).style("height", `${plan.height}px`);
      if (things.length <= AT_ONCE || inSight.get(thing.thing)) drawLane(this, thing, plan, width);
    });
  }

  function whoWidth() {
    return 11.5 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  /** What is missing of lanes that have become too long, in a sentence; empty if nothing is. */
  function forgotten(data) {
    const cut = Object.values(data.lanes).filter((lane) => lane.dropped && lane.marks.length);
    if (!cut.length) return "";
    const events = count(d3.sum(cut, (lane) => lane.dropped), "event");
    const since = d3.max(cut, (lane) => Math.max(lane.marks[0].at, lane.spans[0]?.start ?? 0));
    return `${events} before ${seconds(since)} are drawn no longer; a trace has them.`;
  }

  function drawNote(data, shown) {
    const all = d3.sum(Object.values(data.counts));
    const note = !data.things.length ? "No device yet. The first one that connects is shown here."
      : !shown ? "No device fits what is chosen above."
      : [all > shown ? `${shown} of ${count(all, "device")} shown.` : "", forgotten(data)].filter(Boolean).join(" ");
    byId("lanes-note").hidden = !note;
    byId("lanes-note").firstChild.textContent = note;
    byId("lanes-tools").hidden = byId("lanes-keys").hidden = !data.things.length;
  }

  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width !== width) say("size");
    width = contentRect.width;
  }).observe(byId("lanes-columns"));
  section(["lanes", "things", "lines", "now", "counts", "filters", "size", "sight", "playhead", "view"], draw);
}
