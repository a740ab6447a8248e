"use strict";
// What there is to see in a lane: its tracks, and of each kind of span and mark the word and the sign. Their colours
// stand in the style sheet, by the same names.

const TRACKS = ["cloud", "wire", "agent", "hardware"];

/** Of spans: the word of each kind, for the legend and where a span has no text of its own. */
const SPANS = {
  cloud: {
    QUEUED: "queued", IN_PROGRESS: "in progress", SUCCEEDED: "succeeded", FAILED: "failed", TIMED_OUT: "timed out",
    REJECTED: "rejected", CANCELED: "cancelled", REMOVED: "removed",
  },
  wire: { offline: "off line" },
  agent: {
    idle: "idle", starting: "starting", executing: "executing", reporting: "reporting", suspect: "suspects",
    recovering: "recovers", trial: "on trial", safe: "cannot be put right",
  },
  hardware: { step: "a step", undo: "undoes", boot: "boots", off: "no power", bricked: "bricked" },
  ghost: { ghost: "does not know yet" },
};

const SIGNS = {
  up: "M0 -7L6 6H-6Z",
  down: "M0 7L6 -6H-6Z",
  cross: "M-6 -7L0 -2L6 -7L7.5 -5.5L2 0L7.5 5.5L6 7L0 2L-6 7L-7.5 5.5L-2 0L-7.5 -5.5Z",
  bolt: "M2 -8L-6 2H-1L-3 8L6 -3H1Z",
  play: "M-5 -6L7 0L-5 6Z",
  check: "M-7 0L-4.5 -2.5L-2 1L5 -6L7.5 -3.5L-2 6Z",
  back: "M-8 -1L-1 -7V-3H3A5 5 0 0 1 3 7H-3V4H3A2 2 0 0 0 3 1H-1V5Z",
  alert: "M0 -8L8 0L0 8L-8 0ZM-1 -4V1H1V-4ZM-1 2.5V4.5H1V2.5Z",
  burst: "M0 -8L2 -3L7 -5L4 0L8 3L3 4L2 8L-1 4L-6 7L-4 2L-8 0L-4 -2L-6 -7L-1 -4Z",
  shield: "M-7 -7H7V1L0 8L-7 1Z",
  bin: "M-7 -7H7V-4H-7ZM-5.5 -3H5.5L4.5 8H-4.5Z",
  flag: "M-5 -8H-3V-7H7L4 -3L7 1H-3V8H-5Z",
  dot: "M0 -4A4 4 0 0 1 0 4A4 4 0 0 1 0 -4Z",
  square: "M-4 -4H4V4H-4Z",
  plus: "M-2 -7H2V-2H7V2H2V7H-2V2H-7V-2H-2Z",
};

/** Of marks: the word, and the shape of the sign, a path in a square from -8 to 8. */
const MARKS = {
  "to-cloud": ["to the cloud", SIGNS.up],
  "to-device": ["to the device", SIGNS.down],
  lost: ["never arrived", SIGNS.cross],
  refused: ["refused", SIGNS.cross],
  fault: ["a fault", SIGNS.square],
  queued: ["queued", SIGNS.plus],
  "created-again": ["created again", SIGNS.plus],
  removed: ["record removed", SIGNS.bin],
  SUCCEEDED: ["succeeded", SIGNS.check],
  FAILED: ["failed", SIGNS.cross],
  TIMED_OUT: ["timed out", SIGNS.cross],
  REJECTED: ["rejected", SIGNS.cross],
  CANCELED: ["cancelled", SIGNS.cross],
  told: ["knows that it is gone", SIGNS.alert],
  taken: ["takes a job", SIGNS.dot],
  done: ["is done with it", SIGNS.check],
  crashed: ["crashed", SIGNS.burst],
  journal: ["cannot write its journal", SIGNS.burst],
  safe: ["cannot be put right", SIGNS.shield],
  "power-lost": ["power lost", SIGNS.bolt],
  boot: ["boots", SIGNS.play],
  commit: ["commits", SIGNS.check],
  revert: ["takes it back", SIGNS.back],
  leap: ["point of no return", SIGNS.flag],
  alive: ["alive", SIGNS.dot],
  dead: ["dead", SIGNS.cross],
  unknown: ["nobody can tell", SIGNS.square],
  other: ["something else", SIGNS.square],
};

/** What a span of that kind is called. */
function spanWord(track, kind) {
  return track === "ghost" ? SPANS.ghost.ghost : SPANS[track]?.[kind] ?? kind;
}

/** The row of MARKS that a mark is shown with. */
function markRow(mark) {
  return MARKS[markKind(mark)];
}

/** The name of that row: a message that never arrived is told by that, and not by where it went. */
function markKind(mark) {
  if (mark.ok === false) return "lost";
  return mark.kind in MARKS ? mark.kind : "other";
}
