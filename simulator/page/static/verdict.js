"use strict";
// The head of the page: how it went, in one sentence; then the story. And its foot: what was played.
{
  const LONG = 130;

  function drawState(data) {
    const [sign, word] = STATES[data.state] ?? STATES.ended;
    const bricked = data.things.filter((thing) => thing.bricked).length;
    byId("verdict").dataset.state = data.state;
    byId("state").dataset.state = data.state;
    fill(byId("state"), icon(sign), word);
    byId("sentence").textContent = visible(data.sentence) || "Waiting for what comes.";
    byId("sentence").classList.toggle("long", data.sentence.length > LONG);
    byId("title").textContent = visible([data.title, data.about].filter(Boolean).join(" · "));
    document.title = [word, visible(data.title), bricked ? `${count(bricked, "device")} bricked` : ""].filter(Boolean).join(" · ");
  }

  function drawStory(data) {
    byId("what-happened").hidden = !data.story.length && !data.why;
    fill(byId("story"), ...data.story.map((sentence) => el("li", {}, sentence)));
    const isMore = data.why && !data.sentence.includes(data.why);
    fill(byId("why"), isMore ? `In full: ${data.why}` : "");
    byId("why").hidden = !isMore;
  }

  function drawFacts(data) {
    fill(byId("facts"), ...data.facts.map(([name, value]) =>
      el("div", {}, el("dt", {}, String(name)), el("dd", {}, String(value)))));
    byId("axis-note").textContent = data.axis_note;
  }

  section(["state", "sentence", "title", "about", "things"], drawState);
  section(["story", "why", "sentence"], drawStory);
  section(["facts", "axis_note"], drawFacts);
}
