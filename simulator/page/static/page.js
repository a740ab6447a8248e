"use strict";
// The page: the data that it shows, and who draws which part of it.
//
// A part of the page is a section: the members of the data that it reads, and a function that draws them. Data comes
// whole, or as news, members that changed; then the sections that read them are drawn again, all of them in one frame.

const EMPTY = {
  kind: "run", title: "", about: "", state: "waiting", sentence: "", why: "", story: [], now: 0, is_over: false, axis_note: "",
  facts: [], things: [], counts: {}, lines: [], lanes: {}, flash: {}, invariants: [], reached: [], matrix: null, explored: null,
  times: { detection: [], recovery: [], bound: null }, crowd: null, entries: {}, controls: null,
};

const BY_NAME = new Set(["lanes", "flash", "entries"]);

let data = { ...EMPTY };
const sections = [];
const changed = new Set();

/** Have `draw(data)` called whenever one of the members `reads` has changed, or anybody says that it has. */
function section(reads, draw) {
  sections.push({ reads, draw });
}

/** By names that devices have chosen, which may be `constructor`: nothing is found in it that was not put there. */
function byName(members) {
  return Object.assign(Object.create(null), members);
}

/** Everything, instead of what there was. */
function showWhole(whole) {
  data = { ...EMPTY, ...whole };
  for (const name of BY_NAME) data[name] = byName(data[name]);
  say(...Object.keys(EMPTY));
}

/** News: members by their names, one thing's by `lanes.THING` and `flash.THING`; what came to them by `lines+`,
 * `lanes+.THING` and `flash+.THING`; `entries+` to be added, and `entries-`, which of them may go. */
function showNews(news) {
  for (const [path, value] of Object.entries(news)) take(path, value);
}

function take(path, value) {
  const [name, thing] = split(path);
  if (name === "entries+") return void Object.assign(data.entries, value);
  if (name === "entries-") return value.forEach((id) => delete data.entries[id]);
  if (name.endsWith("+")) return take(path.replace("+", ""), edited(thing ? data[name.slice(0, -1)][thing] : data.lines, value));
  if (thing) data[name] = Object.assign(byName(data[name]), { [thing]: value });
  else data[name] = BY_NAME.has(name) ? byName(value) : value;
  return say(name);
}

/** A list, or a lane, with what came to it: those at `gone` went, `put` are others now, and `more` follow. */
function edited(before, news) {
  if (Array.isArray(before)) {
    const gone = new Set(news.gone);
    return [...Object.assign(before.filter((_, at) => !gone.has(at)), news.put), ...news.more];
  }
  return { spans: edited(before.spans, news.spans), marks: edited(before.marks, news.marks), dropped: news.dropped };
}

function split(path) {
  const dot = path.indexOf(".");
  return dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1)];
}

/** These have changed: draw whoever reads them, in the next frame. Names need not be of the data. */
function say(...names) {
  if (!changed.size) requestAnimationFrame(redraw);
  for (const name of names) changed.add(name);
}

/** Draw what has changed. A section that fails leaves the others as they are to be. */
function redraw() {
  const names = new Set(changed);
  changed.clear();
  for (const { reads, draw } of sections) {
    if (!reads.some((name) => names.has(name))) continue;
    try {
      draw(data);
    } catch (error) {
      reportError(error);
    }
  }
}

/** The element of that id. */
function byId(id) {
  return document.getElementById(id);
}

/** Text of others: what would turn the rest of the line around, or cannot be seen, stands as its code. */
function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** An element: functions among its attributes listen, null and false leave one out; children are nodes or texts. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== false && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== "")
    .map((child) => (typeof child === "string" ? visible(child) : child)));
  return made;
}

/** One of the signs that the page's head defines. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(svg.namespaceURI, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Put these into an element instead of what is in it, if that is to look any different; the focus stays where it was. */
function fill(element, ...children) {
  const wanted = el("div", {}, ...children);
  if (wanted.innerHTML === element.innerHTML) return;
  const at = focusedWithin(element);
  element.replaceChildren(...wanted.childNodes);
  if (at >= 0) focusable(element)[at]?.focus();
}

function focusable(element) {
  return [...element.querySelectorAll("button, select, input, summary, [tabindex]")];
}

function focusedWithin(element) {
  return focusable(element).indexOf(document.activeElement);
}
