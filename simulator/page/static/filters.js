"use strict";
// Which things, which job and which namespace are shown.
{
  const filters = { thing: "", job: "", namespace: null, all: false };
  const OF_MANY = 3;

  /** Whether lanes are left out: of a fleet those are shown that broke something, or else the first, until all are asked for. */
  function isCutShort() {
    return data.crowd !== null && !filters.all && !filters.thing;
  }

  /** The things that there is room for. */
  function offeredThings() {
    if (!isCutShort()) return data.things;
    const broken = data.things.filter((thing) => thing.violated.length || thing.bricked);
    return broken.length ? broken : data.things.slice(0, OF_MANY);
  }

  /** Whether a thing is to be seen: by its name, or because it has to do with the job or the namespace chosen. */
  function isWanted(thing) {
    if (filters.thing && !thing.thing.toLowerCase().includes(filters.thing.toLowerCase())) return false;
    if (!filters.job && filters.namespace === null) return true;
    const lane = data.lanes[thing.thing];
    return lane ? [...lane.spans, ...lane.marks].some(isOfChosen) : isOfChosen(thing);
  }

  /** Whether a span, a mark or a line belongs to what was chosen; what belongs to no job does not say so. */
  function isOfChosen(item) {
    return (!filters.job || item.job === filters.job)
      && (filters.namespace === null || (item.namespace ?? "") === filters.namespace);
  }

  /** Whether it is to be drawn: what belongs to no job always is. */
  function isDrawn(item) {
    return !item.job || isOfChosen(item);
  }

  /** The same for what goes through all lanes, which names a job and no namespace. */
  function isLineDrawn(line) {
    if (!line.job) return true;
    if (filters.job && line.job !== filters.job) return false;
    return filters.namespace === null || Object.values(data.lanes).some((lane) =>
      lane.spans.some((span) => span.job === line.job && (span.namespace ?? "") === filters.namespace));
  }

  /** Things in the order in which they are shown, each group with its own: [[group, things], …]. */
  function shownGroups() {
    const groups = new Map();
    for (const thing of offeredThings()) {
      if (!isWanted(thing)) continue;
      const name = thing.group ?? "";
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(thing);
    }
    const order = ["good", "bad"];
    return [...groups].sort(([a], [b]) => (order.indexOf(a) + 1 || 9) - (order.indexOf(b) + 1 || 9));
  }

  const GROUPS = { good: ["The good one", "The good ones"], bad: ["The bad one", "The bad ones"] };

  /** What stands over a group, of which not all need be shown. */
  function groupName(group) {
    const isOne = data.things.filter((thing) => thing.group === group).length === 1;
    return GROUPS[group]?.[isOne ? 0 : 1] ?? group;
  }

  function jobsAndNamespaces(data) {
    const jobs = new Set(), namespaces = new Set();
    const see = (item) => {
      if (!item.job) return;
      jobs.add(item.job);
      namespaces.add(item.namespace ?? "");
    };
    for (const lane of Object.values(data.lanes)) lane.spans.forEach(see);
    for (const line of data.lines) if (line.job) jobs.add(line.job);
    return [[...jobs].sort(), [...namespaces].sort()];
  }

  function offer(select, values, chosen, name) {
    fill(select, el("option", { value: "*" }, "any"),
      ...values.map((value) => el("option", { value: `=${value}` }, name(value))));
    select.value = chosen === null ? "*" : `=${chosen}`;
  }

  function draw(data) {
    const [jobs, namespaces] = jobsAndNamespaces(data);
    offer(byId("filter-job"), jobs, filters.job || null, (job) => job);
    offer(byId("filter-namespace"), namespaces, filters.namespace, namespaceName);
    fill(byId("thing-names"), ...data.things.map((thing) => el("option", { value: thing.thing })));
  }

  const chosen = (select) => (select.value === "*" ? null : select.value.slice(1));

  byId("filter-thing").addEventListener("input", (event) => {
    filters.thing = event.target.value.trim();
    say("filters");
  });
  byId("filter-job").addEventListener("change", (event) => {
    filters.job = chosen(event.target) ?? "";
    say("filters");
  });
  byId("filter-namespace").addEventListener("change", (event) => {
    filters.namespace = chosen(event.target);
    say("filters");
  });

  byId("filter-all").addEventListener("click", () => {
    filters.all = !filters.all;
    say("filters");
  });

  section(["lanes", "lines", "things"], draw);
  section(["crowd", "things", "filters"], (data) => {
    byId("filter-all").hidden = data.crowd === null || offeredThings().length === data.things.length && !filters.all;
    byId("filter-all").textContent = filters.all ? "Fewer" : `Show ${data.things.length}`;
  });

  Object.assign(window, { filters, isDrawn, isLineDrawn, shownGroups, groupName });
}
