"use strict";
// Sort a table by the column whose heading is pressed; the total row stays last.
const value = (cell) => {
  if ("v" in cell.dataset) return Number(cell.dataset.v);
  const text = cell.textContent.replace(/[▲▼,\s%]/g, "").replace("−", "-").replace("<", "");
  return text === "–" ? -Infinity : text !== "" && isFinite(text) ? Number(text) : cell.textContent;
};
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
for (const heading of document.querySelectorAll(".tl thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const up = heading.getAttribute("aria-sort") === "descending";
    for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].filter((row) => !row.classList.contains("total"));
    rows.sort((a, b) => (up ? 1 : -1) * compare(value(a.cells[heading.cellIndex]), value(b.cells[heading.cellIndex])));
    body.prepend(...rows);
  });
}
// What is folded away on the screen is printed too, and reached by a link to it.
const folds = () => document.querySelectorAll("details:not(.code)");
addEventListener("beforeprint", () => folds().forEach((fold) => { fold.dataset.was = fold.open; fold.open = true; }));
addEventListener("afterprint", () => folds().forEach((fold) => { fold.open = fold.dataset.was === "true"; }));
const reach = () => document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details")?.setAttribute("open", "");
addEventListener("hashchange", reach);
reach();
// A wide table is moved sideways by keyboard.
for (const box of document.querySelectorAll(".wide, .output, pre")) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}
