"use strict";
// Which stretch of time the lanes show, and how it is changed: buttons, keys, wheel, dragging, two fingers.
//
// Until somebody chooses otherwise it is all of it; while it goes on for longer than that, the last minute.
{
  const SHORTEST = 0.0005;
  const FOLLOWED = 60;
  const ROOM = 0.015;
  const view = { from: 0, to: 1, shows: "now" };

  /** The whole axis: from the first thing that happened, or of long lanes from the first that is drawn yet, to its end,
   * with some room. */
  function wholeAxis() {
    const lanes = Object.values(data.lanes);
    let from = lanes.length && lanes.every((lane) => lane.dropped) ? data.now : 0;
    for (const lane of lanes) {
      for (const span of lane.spans) from = Math.min(from, span.start);
    }
    const to = Math.max(data.now, from + SHORTEST);
    return [from, to + (to - from) * ROOM];
  }

  /** What is shown now: [from, to] in seconds. */
  function shownTime() {
    if (view.shows === "chosen") return [view.from, view.to];
    if (view.shows === "all" || data.is_over || data.now <= FOLLOWED) return wholeAxis();
    return [data.now - FOLLOWED, data.now + FOLLOWED * ROOM];
  }

  /** Show that stretch, or as much of it as there is. */
  function showTime(from, to) {
    const [first, last] = wholeAxis();
    const length = Math.min(Math.max(to - from, SHORTEST), last - first);
    view.from = Math.min(Math.max(from, first), last - length);
    view.to = view.from + length;
    view.shows = "chosen";
    say("view");
  }

  /** Show `factor` times as long a stretch; `still` stays where it is. */
  function zoomBy(factor, still = ofInterest()) {
    const [from, to] = shownTime();
    showTime(still - (still - from) * factor, still + (to - still) * factor);
  }

  /** What to keep in sight: the event that has the focus, or the first deletion there is to see, or else the middle. */
  function ofInterest() {
    const [from, to] = shownTime();
    const held = document.activeElement?.classList.contains("item") ? document.activeElement.__data__.at : null;
    const deletion = data.lines.find((line) => line.kind === "deletion" && line.at >= from && line.at <= to);
    return held ?? deletion?.at ?? (from + to) / 2;
  }

  /** Move by that part of what is shown. */
  function moveBy(part) {
    const [from, to] = shownTime();
    showTime(from + (to - from) * part, to + (to - from) * part);
  }

  /** All of it. */
  function showAll() {
    follow("all");
  }

  function follow(what) {
    view.shows = what;
    say("view");
  }

  byId("zoom-in").addEventListener("click", () => zoomBy(0.5));
  byId("zoom-out").addEventListener("click", () => zoomBy(2));
  byId("zoom-all").addEventListener("click", showAll);
  byId("zoom-now").addEventListener("click", () => follow("now"));
  section(["view", "lanes", "now", "is_over"], () => {
    const [from, to] = shownTime();
    byId("zoom-now").hidden = data.is_over;
    byId("lanes").dataset.from = from.toFixed(4);
    byId("lanes").dataset.to = to.toFixed(4);
  });

  Object.assign(window, { shownTime, zoomBy, moveBy, showAll });
}
