"use strict";
// How the page writes times, counts and names.

/** Seconds as people say them: 34 ms, 1.23 s, 12.3 s, 2 min 5 s. */
function seconds(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size < 0.0005) return "0 s";
  if (size < 0.1) return `${Math.round(value * 1000)} ms`;
  if (size < 1) return `${value.toFixed(3).replace(/0$/, "")} s`;
  if (size < 10) return `${value.toFixed(2)} s`;
  if (size < 120) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

/** 1 device, 2 devices. */
function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** What stands before the colon: what happened, without why. */
function headline(text) {
  return text.split(":")[0];
}

/** What a namespace is called; the one without a name too. */
function namespaceName(namespace) {
  return namespace ? namespace : "(default)";
}

const STATES = {
  waiting: ["waiting", "Waiting"],
  running: ["running", "Running"],
  passed: ["passed", "Passed"],
  failed: ["failed", "Failed"],
  inconclusive: ["unsure", "Inconclusive"],
  ended: ["ended", "Ended"],
  undrawn: ["unsure", "Page stopped"],
};

const OUTCOMES = {
  held: ["passed", "held"],
  violated: ["failed", "violated"],
  undecided: ["unsure", "undecided"],
  "not-exercised": ["none", "not exercised"],
  passed: ["passed", "passed"],
  failed: ["failed", "failed"],
  inconclusive: ["unsure", "inconclusive"],
  "not-applicable": ["none", "not for it"],
  pending: ["waiting", "to come"],
};

/** The sign and the word of an outcome; one that this page does not know is shown as it is called. */
function outcomeWords(outcome) {
  return OUTCOMES[outcome] ?? ["none", outcome];
}
