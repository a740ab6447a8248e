"use strict";
// The matrix of a certification: a row for each point, a column for each condition, and of each cell what came of it.
{
  let chosen = null;

  function cellAt(matrix, point, condition) {
    return matrix.cells.find((cell) => cell.point === point && cell.condition === condition);
  }

  function cellButton(cell) {
    const [sign, word] = outcomeWords(cell.outcome);
    return el("button", {
      type: "button", class: "outcome", "data-cell": cell.id, "data-outcome": cell.outcome, title: cell.why,
      "aria-label": `${cell.point}, ${cell.condition}: ${word}`, click: () => choose(cell.id),
    }, icon(sign), el("span", { class: "word" }, word));
  }

  /** Of more conditions than that, a cell is a sign, so that all are in sight. */
  const IN_WORDS = 7;

  function table(matrix) {
    return el("table", { class: matrix.conditions.length > IN_WORDS ? "dense" : null },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "point"),
        ...matrix.conditions.map((name) => el("th", { scope: "col" }, el("span", {}, name))))),
      el("tbody", {}, ...matrix.points.map((point) => el("tr", {},
        el("th", { scope: "row" }, point),
        ...matrix.conditions.map((condition) => {
          const cell = cellAt(matrix, point, condition);
          return el("td", {}, cell ? cellButton(cell) : "");
        })))));
  }

  function choose(id) {
    chosen = id;
    drawCell();
  }

  function drawCell() {
    const cell = data.matrix?.cells.find((each) => each.id === chosen);
    byId("cell").hidden = !cell;
    if (!cell) return;
    const [sign, word] = outcomeWords(cell.outcome);
    fill(byId("cell"),
      el("h3", {}, el("span", { class: "outcome", "data-outcome": cell.outcome }, icon(sign), word), ` ${cell.id}`),
      el("p", {}, cell.why || "Nothing to say against it."),
      cell.shows ? el("p", { class: "note" }, [cell.shows].flat().join("; ")) : null,
      el("p", { class: "note" }, cell.seconds ? `It took ${seconds(cell.seconds)}.` : ""),
      el("ul", { class: "chips" }, ...cell.invariants.map(([id, outcome]) => el("li", { class: "outcome", "data-outcome": outcome },
        icon(outcomeWords(outcome)[0]), `${id}: ${outcomeWords(outcome)[1]}`))));
  }

  function draw(data) {
    byId("matrix-section").hidden = !data.matrix;
    if (!data.matrix) return;
    fill(byId("matrix"), table(data.matrix));
    drawCell();
  }

  section(["matrix"], draw);
}
