"use strict";
// The instant at which the flash is shown: a slider, played, and moved from change to change. The lanes show it as a line.
//
// At the end of the axis it stays at the end: what comes is followed until somebody moves it.
{
  const PLAYED_SECONDS = 15;
  const play = { at: null, since: null, from: 0 };

  /** The instant that is looked at; null at the end, and if there is no flash to look at. */
  function playhead() {
    return Object.keys(data.flash).length ? play.at : null;
  }

  /** The instant at which the flash is shown. */
  function instant() {
    return play.at ?? data.now;
  }

  function goTo(at) {
    play.at = at >= data.now ? null : Math.max(at, 0);
    say("playhead");
  }

  function start() {
    const from = instant() >= data.now ? startOfInterest() : instant();
    Object.assign(play, { since: performance.now(), from });
    goTo(from);
    requestAnimationFrame(frame);
  }

  function stop() {
    play.since = null;
    say("playhead");
  }

  /** Shortly before the first deletion, or else the beginning. */
  function startOfInterest() {
    const first = data.lines.find((line) => line.kind === "deletion");
    return first ? Math.max(0, first.at - data.now * 0.1) : 0;
  }

  function frame(time) {
    if (play.since === null) return;
    const at = play.from + ((time - play.since) / 1000) * (data.now / PLAYED_SECONDS);
    if (at >= data.now) {
      goTo(data.now);
      stop();
      return;
    }
    goTo(at);
    requestAnimationFrame(frame);
  }

  /** When anything about any flash changed, in order. */
  function changes() {
    const all = Object.values(data.flash).flatMap((history) => history.map((each) => each.at));
    return [...new Set(all)].sort(d3.ascending);
  }

  function stepChange(by) {
    const all = changes();
    const at = instant();
    const next = by > 0 ? all.find((each) => each > at) : all.filter((each) => each < at).pop();
    if (next !== undefined) goTo(next);
  }

  function jumps(data) {
    return data.lines.filter((line) => line.kind === "deletion").slice(0, 3).map((line, index) =>
      el("button", { type: "button", "data-jump": index, click: () => jumpTo(index) }, headline(line.text)));
  }

  function jumpTo(index) {
    goTo(data.lines.filter((line) => line.kind === "deletion")[index].at);
  }

  function draw(data) {
    const slider = byId("flash-at");
    slider.max = data.now;
    slider.value = instant();
    slider.setAttribute("aria-valuetext", seconds(instant()));
    byId("flash-time").textContent = seconds(instant());
    byId("flash-play").textContent = play.since === null ? "Play" : "Stop";
    fill(byId("flash-jumps"), ...jumps(data));
  }

  byId("flash-play").addEventListener("click", () => (play.since === null ? start() : stop()));
  byId("flash-at").addEventListener("input", (event) => {
    play.since = null;
    goTo(Number(event.target.value));
  });
  byId("flash-back").addEventListener("click", () => stepChange(-1));
  byId("flash-next").addEventListener("click", () => stepChange(1));
  section(["now", "playhead", "lines", "flash"], draw);

  Object.assign(window, { playhead, instant });
}
