"use strict";
// The buttons of a live page: what may be pressed now, asked once where it hurts, and what was said to it.
{
  const WORDS = {
    "force-delete": "Force-delete", cancel: "Cancel", "cancel-force": "Cancel with force", "create-again": "Create again",
    "create-job": "New job", "cut-power": "Cut power", "restore-power": "Give power", "cut-network": "Cut network",
    "add-device": "Add a device", pause: "Pause", go: "Go", slow: "Slow", end: "End",
  };
  const ASKED = { "cancel-force": "Cancel, with force,", "cut-power": "Cut the power of", "cut-network": "Cut the network of" };
  const NAMED = { "create-job": "Its id", "add-device": "Its name" };
  const SPEEDS = [[1, "As it is"], [5, "5 × slower"], [20, "20 × slower"]];

  function button(order, words) {
    return el("button", {
      type: "button", "data-do": order.do, "data-job": order.job || null, "data-thing": order.thing || null,
      "data-number": order.number ?? null, class: order.do === "force-delete" ? "danger" : null,
      click: () => press(order),
    }, words ?? WORDS[order.do] ?? order.do);
  }

  async function press(order) {
    const wanted = await asked(order);
    if (wanted) await send(wanted);
  }

  /** The order as it was confirmed; null if it was not. What hurts nobody is not asked. */
  function asked(order) {
    const sentence = data.controls?.asks?.[order.do];
    return sentence || NAMED[order.do] ? ask(order, sentence ?? "") : order;
  }

  function ask(order, sentence) {
    const dialog = byId("ask");
    const name = dialog.querySelector("input");
    byId("ask-what").textContent = `${[ASKED[order.do] ?? WORDS[order.do], order.job || order.thing].filter(Boolean).join(" ")}?`;
    byId("ask-sentence").textContent = sentence;
    dialog.querySelector("[value=yes]").textContent = WORDS[order.do];
    byId("ask-name").hidden = !NAMED[order.do];
    byId("ask-name").querySelector("span").textContent = NAMED[order.do] ?? "";
    name.value = "";
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? named(order, name.value.trim()) : null), { once: true });
    });
  }

  function named(order, name) {
    if (!name) return order;
    return order.do === "create-job" ? { ...order, job: name } : { ...order, thing: name };
  }

  async function send(order) {
    tell("…");
    try {
      const answer = await fetch("orders", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(order),
      });
      const said = await answer.json();
      tell(said.said ?? said.why ?? `refused: ${answer.status}`, answer.ok);
    } catch {
      tell("Nobody answered. Is ghostjob still running?", false);
    }
  }

  function tell(sentence, ok = true) {
    byId("said").textContent = sentence;
    byId("said").dataset.ok = String(ok);
  }

  function jobButtons({ jobs }) {
    return jobs.map((job) => el("span", { class: "job" },
      el("b", {}, job.namespace ? `${job.job} in ${job.namespace}` : job.job),
      ...job.may.map((each) => button({ do: each, job: job.job }, each === "force-delete" ? `Force-delete ${job.job} now` : null))));
  }

  function otherButtons({ also, slow }) {
    return also.flatMap((each) => {
      if (each === "go") return [];
      if (each !== "slow") return [button({ do: each })];
      return SPEEDS.map(([number, words]) => {
        const made = button({ do: "slow", number }, words);
        made.setAttribute("aria-pressed", String(number === slow));
        return made;
      });
    });
  }

  function paused({ paused_at: at, also }) {
    if (!at && !also.includes("go")) return [];
    return [el("p", {}, at ? `Paused: ${at}` : "Paused"), button({ do: "go" })];
  }

  function thingButtons({ things }) {
    return things.map((thing) => el("span", { class: "thing-control" }, el("b", {}, thing.thing),
      ...thing.may.map((each) => button({ do: each, thing: thing.thing }))));
  }

  /** When all is over there is nothing to press. */
  function canBePressed({ jobs, things, also }) {
    return also.length > 0 || [...jobs, ...things].some((each) => each.may.length);
  }

  let pausedAt = "";

  /** What was said to who wanted it to stop, or go on, is no news once it does. */
  function forget(at) {
    if (at !== pausedAt) tell("");
    pausedAt = at;
  }

  function draw({ controls }) {
    byId("controls").hidden = !controls || !canBePressed(controls);
    if (!controls) return;
    const stopped = paused(controls);
    forget(controls.paused_at);
    byId("paused").hidden = !stopped.length;
    fill(byId("paused"), ...stopped);
    fill(byId("job-buttons"), ...jobButtons(controls));
    fill(byId("other-buttons"), ...otherButtons(controls));
    fill(byId("thing-buttons"), ...thingButtons(controls));
    byId("thing-controls").hidden = !controls.things.length;
    const hasPower = controls.things.some((thing) => thing.may.some((each) => each.endsWith("power")));
    byId("thing-controls").querySelector("summary").textContent = `${hasPower ? "Power and network" : "Network"} of each device`;
  }

  section(["controls"], draw);
}
