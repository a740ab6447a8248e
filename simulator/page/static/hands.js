"use strict";
// How hands move in a lane: the wheel, dragging, two fingers; and the keys, from event to event and from lane to lane.
//
// A lane is one stop of the Tab key. The arrows go from event to event in it, and Enter shows what was sent.
{
  const SLOP = 5;

  /** The instant at a place of the screen in a lane's picture. */
  function instantAt(svg, clientX) {
    return timeScale(svg.clientWidth).invert(clientX - svg.getBoundingClientRect().left);
  }

  /** Have hands move what is shown in this picture of a lane. */
  function followHands(svg) {
    svg.addEventListener("wheel", (event) => onWheel(svg, event), { passive: false });
    svg.addEventListener("dblclick", (event) => zoomBy(0.5, instantAt(svg, event.clientX)));
    svg.addEventListener("keydown", (event) => onKey(svg, event));
    drag(svg);
  }

  function onWheel(svg, event) {
    if (event.ctrlKey || event.metaKey) zoomBy(Math.exp(event.deltaY * 0.004), instantAt(svg, event.clientX));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      moveBy((event.deltaX || event.deltaY) / svg.clientWidth);
    } else return;
    event.preventDefault();
  }

  function drag(svg) {
    const fingers = new Map();
    let moved = 0;
    svg.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, event.clientX);
      moved = 0;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const before = [...fingers.values()];
      moved += Math.abs(event.clientX - fingers.get(event.pointerId));
      if (moved > SLOP) svg.setPointerCapture(event.pointerId);
      else return;
      fingers.set(event.pointerId, event.clientX);
      move(svg, before, [...fingers.values()]);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      svg.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    svg.addEventListener("click", (event) => {
      if (moved > SLOP) event.stopPropagation();
    }, { capture: true });
  }

  function move(svg, before, after) {
    if (after.length === 1) moveBy((before[0] - after[0]) / (svg.clientWidth - GUTTER));
    else if (after.length === 2) {
      const [was, is] = [before, after].map(([a, b]) => Math.max(Math.abs(a - b), 20));
      zoomBy(was / is, instantAt(svg, (after[0] + after[1]) / 2));
    }
  }

  const KEYS = {
    "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), 0: showAll,
    ArrowRight: (svg) => step(svg, 1), ArrowLeft: (svg) => step(svg, -1),
    Home: (svg) => step(svg, -Infinity), End: (svg) => step(svg, Infinity),
    ArrowDown: (svg) => change(svg, 1), ArrowUp: (svg) => change(svg, -1),
    Enter: press, " ": press,
  };
  const SHIFTED = { ...KEYS, ArrowRight: () => moveBy(0.25), ArrowLeft: () => moveBy(-0.25) };

  function onKey(svg, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = (event.shiftKey ? SHIFTED : KEYS)[event.key];
    if (!act) return;
    event.preventDefault();
    act(svg);
  }

  function press(svg) {
    const item = document.activeElement;
    if (item !== svg) item.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else step(svg, 1);
  }

  /** The items of a lane in the order of time. */
  function inOrder(svg) {
    return d3.select(svg).selectAll(".item").nodes().sort((a, b) => d3.ascending(a.__data__.at, b.__data__.at));
  }

  function step(svg, by) {
    const items = inOrder(svg);
    if (!items.length) return;
    const at = items.indexOf(document.activeElement);
    const next = Math.min(Math.max(at < 0 ? 0 : at + by, 0), items.length - 1);
    hold(items[next]);
  }

  /** The focus goes to that item, and Tab comes back to it. */
  function hold(item) {
    const svg = item.ownerSVGElement;
    d3.select(svg).selectAll(".item").attr("tabindex", -1);
    item.setAttribute("tabindex", "0");
    svg.setAttribute("tabindex", "-1");
    item.focus({ preventScroll: true });
  }

  /** After items have come and gone: the lane itself is where Tab stops, unless an item of it is. */
  function rove(svg) {
    const held = svg.querySelector(".item[tabindex='0']");
    svg.setAttribute("tabindex", held ? "-1" : "0");
  }

  function change(svg, by) {
    const all = d3.selectAll(".lane > svg").nodes();
    const next = all[all.indexOf(svg) + by];
    if (!next) return;
    (next.querySelector(".item[tabindex='0']") ?? next).focus();
  }

  Object.assign(window, { followHands, hold, rove });
}
