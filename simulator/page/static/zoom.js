"use strict";
// Which stretch of time the lanes show, and how it is changed: buttons, keys, wheel, dragging, two fingers.
//
// Until somebody chooses otherwise it is everything; while it goes on for longer, the last minute.
{
  const SHORTEST = 0.0005;
  const FOLLOWED = 60;
  const view = { from: 0, to: 1, chosen: false };

  /** The whole axis: from the first thing that happened to its end, with some room. */
  function wholeAxis() {
    let from = 0;
    for (const lane of Object.values(data.lanes)) {
      for (const span of lane.spans) from = Math.min(from, span.start);
    }
    const to = Math.max(data.now, from + SHORTEST);
    return [from, to + (to - from) * 0.015];
  }

  /** What is shown now: [from, to] in seconds. */
  function shownTime() {
    if (view.chosen) return [view.from, view.to];
    const [from, to] = wholeAxis();
    return data.is_over || to - from <= FOLLOWED ? [from, to] : [to - FOLLOWED, to];
  }

  /** Show that stretch, or as much of it as there is. */
  function showTime(from, to) {
    const [first, last] = wholeAxis();
    const length = Math.min(Math.max(to - from, SHORTEST), last - first);
    view.from = Math.min(Math.max(from, first), last - length);
    view.to = view.from + length;
    view.chosen = true;
    say("view");
  }

  /** Show `factor` times as long a stretch; `at` stays where it is. */
  function zoomBy(factor, at) {
    const [from, to] = shownTime();
    const still = at ?? (from + to) / 2;
    showTime(still - (still - from) * factor, still + (to - still) * factor);
  }

  /** Move by that part of what is shown. */
  function moveBy(part) {
    const [from, to] = shownTime();
    showTime(from + (to - from) * part, to + (to - from) * part);
  }

  /** All of it. */
  function showAll() {
    showTime(...wholeAxis());
  }

  /** Have an instant in sight. */
  function bringIntoView(at) {
    const [from, to] = shownTime();
    if (at < from || at > to) showTime(at - (to - from) / 2, at + (to - from) / 2);
  }

  byId("zoom-in").addEventListener("click", () => zoomBy(0.5));
  byId("zoom-out").addEventListener("click", () => zoomBy(2));
  byId("zoom-all").addEventListener("click", showAll);
  byId("zoom-now").addEventListener("click", () => {
    view.chosen = false;
    say("view");
  });
  section(["view", "lanes", "now", "is_over"], () => {
    const [from, to] = shownTime();
    byId("zoom-now").hidden = data.is_over;
    byId("lanes").dataset.from = from.toFixed(4);
    byId("lanes").dataset.to = to.toFixed(4);
  });

  Object.assign(window, { shownTime, zoomBy, moveBy, showAll, bringIntoView });
}
