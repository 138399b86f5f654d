// What stands around the map: tools, what to do with the selection, the balance, the answer, and the map as tables.

/** @typedef {import("./draw.js").Drawing} Drawing */
/** @typedef {import("./draw.js").State} State */
/** @typedef {import("./draw.js").Territory} Territory */
/**
 * @typedef {{unit: string, told: string, measure: string, rows: {id: string, distance: string, travel: string,
 *   more: string, deviation: string, touches: boolean}[]}} Why
 */

const SHOWN = 8;
const FULL = 3;
const UNKNOWN = 255;
const SCALE_PX = 110;
const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en");

/**
 * Write a share with its sign.
 * @param {number} share
 * @returns {string}
 */
export function signed(share) {
  if (!Number.isFinite(share)) return "–";
  const text = Math.abs(100 * share).toFixed(Math.abs(share) < 0.0995 ? 1 : 0);
  return `${share < 0 ? "−" : "+"}${text} %`;
}

/**
 * Write a quantity.
 * @param {number} value
 * @param {boolean} [share]
 * @returns {string}
 */
export function amount(value, share = false) {
  if (!Number.isFinite(value)) return "–";
  return share ? `${(100 * value).toFixed(1)} %` : plain.format(value);
}

/**
 * Count in words.
 * @param {number} n
 * @param {string} one
 * @param {string} many
 * @returns {string}
 */
export function counted(n, one, many = `${one}s`) {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [traits] attributes; those that are functions listen
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, traits = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(traits)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * A button with a hint.
 * @param {string} label
 * @param {() => void} act
 * @param {string} [hint]
 * @returns {HTMLButtonElement}
 */
export function button(label, act, hint = label) {
  return make("button", { type: "button", title: hint, click: act }, label);
}

/**
 * A box to tick.
 * @param {string} label
 * @param {(on: boolean) => void} act
 * @returns {HTMLLabelElement}
 */
export function tick(label, act) {
  const box = make("input", { type: "checkbox", change: () => act(box.checked) });
  return make("label", { class: "tick" }, box, ` ${label}`);
}

/**
 * Choices of which one holds, the first to begin with.
 * @param {string} legend
 * @param {string} name
 * @param {string[][]} choices value, label and hint of each
 * @param {(value: string) => void} act
 * @returns {HTMLFieldSetElement}
 */
export function radios(legend, name, choices, act) {
  const options = choices.map(([value, label, hint], i) =>
    make(
      "label",
      { title: hint },
      make("input", { type: "radio", name, value, checked: i === 0, change: () => act(value) }),
      make("span", {}, label),
    ),
  );
  return make("fieldset", {}, make("legend", { class: "unseen" }, legend), ...options);
}

/**
 * A list to choose from.
 * @param {string} label
 * @param {string[][]} choices value and label of each
 * @param {() => void} [act]
 * @returns {HTMLSelectElement}
 */
export function choice(label, choices, act = () => {}) {
  return make("select", { "aria-label": label, change: act }, ...options(choices));
}

/**
 * @param {string[][]} choices value and label of each
 * @returns {HTMLOptionElement[]}
 */
export function options(choices) {
  return choices.map(([value, label]) => make("option", { value }, label));
}

/**
 * What the colours and marks of the layer shown mean.
 * @param {Drawing} drawing
 * @returns {HTMLElement[]}
 */
export function legend(drawing) {
  const { scene } = drawing;
  const at = scene.layers.findIndex((one) => one.name === drawing.layer);
  const entries = at < 0 ? [] : scene.layers[at].ramp.map((colour, i) => [colour, scene.layers[at].legend[i]]);
  if (at >= 0 && drawing.classes[at].includes(UNKNOWN)) entries.push([scene.rest, "not known"]);
  if (drawing.layer === "change") {
    entries.push([scene.tints[0], "moves, in its new territory's tint"], [scene.rest, "stays"]);
  }
  const marks = [...(drawing.homes.length ? ["⌂ home"] : []), "hatched: locked", "red: cut off"];
  const chips = entries.map(([colour, words]) => make("span", {}, make("i", { style: `background:${colour}` }), words));
  return [...chips, make("span", {}, marks.join(" · "))];
}

/**
 * How long so many kilometres are, a length that can be said aloud.
 * @param {number} k pixels a kilometre
 * @returns {HTMLElement}
 */
export function scale(k) {
  const most = SCALE_PX / k;
  const round = 10 ** Math.floor(Math.log10(most));
  const km = [5, 2, 1].map((times) => times * round).find((length) => length <= most) ?? round;
  return make("span", { class: "scale" }, make("i", { style: `width:${km * k}px` }), `${amount(km)} km`);
}

/**
 * A table with a heading row; numbers stand right.
 * @param {string} caption
 * @param {string[]} heads
 * @param {(Node | string)[][]} rows
 * @returns {HTMLTableElement}
 */
export function table(caption, heads, rows) {
  return make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make(
      "tbody",
      {},
      ...rows.map((row) =>
        make("tr", {}, ...row.map((cell, i) => (i ? make("td", {}, cell) : make("th", { scope: "row" }, cell)))),
      ),
    ),
  );
}

/**
 * One territory's deviation as a bar in its tolerance band.
 * @param {string} name
 * @param {string} tint
 * @param {number} deviation
 * @param {number} tolerance
 * @param {number} reach what the width of the track stands for, on each side
 * @returns {HTMLElement}
 */
export function bar(name, tint, deviation, tolerance, reach) {
  const off = Math.abs(deviation) > tolerance + 1e-9;
  const at = (/** @type {number} */ share) => 50 + 50 * Math.max(-1, Math.min(1, share / reach));
  const part = (/** @type {string} */ kind, /** @type {number} */ from, /** @type {number} */ to) =>
    make("i", { class: kind, style: `left:${Math.min(from, to)}%;width:${Math.abs(to - from)}%` });
  return make(
    "li",
    { class: off ? "off" : "" },
    make("b", {}, make("i", { class: "tint", style: `background:${tint}` }), name),
    make(
      "span",
      { class: "track", "aria-hidden": "true" },
      part("band", at(-tolerance), at(tolerance)),
      part("load", 50, at(deviation || 0)),
      part("zero", 50, 50),
    ),
    make(
      "span",
      { class: "figure" },
      `${off ? "! " : ""}${signed(deviation)}`,
      make("span", { class: "unseen" }, off ? " out of tolerance" : " within tolerance"),
    ),
  );
}

/**
 * The bars of some territories, for every balanced activity.
 * @param {Drawing} drawing
 * @param {Territory[]} shown
 * @returns {HTMLElement[]}
 */
export function balance(drawing, shown) {
  return drawing.scene.activities.flatMap(({ title, tolerance }, a) => {
    const off = shown.map((one) => Math.abs(one.deviations[a])).filter(Number.isFinite);
    const reach = Math.min(1, Math.max(2 * tolerance, ...off));
    const list = make(
      "ul",
      {},
      ...shown.map((one) => bar(one.id, drawing.scene.tints[one.tint], one.deviations[a], tolerance, reach)),
    );
    return [make("p", { class: "note" }, `${title} against target, band ±${amount(100 * tolerance)} %`), list];
  });
}

/**
 * The limits that are broken, a few of them in full.
 * @param {string[]} messages
 * @returns {HTMLElement[]}
 */
export function broken(messages) {
  if (!messages.length) return [make("p", { class: "note" }, "Every limit is kept.")];
  const rest = messages.length - FULL;
  const lines = [...messages.slice(0, FULL), ...(rest > 0 ? [`and ${whole.format(rest)} more`] : [])];
  return [
    make("p", { class: "note" }, counted(messages.length, "limit broken", "limits broken")),
    make("ul", { class: "broken" }, ...lines.map((line) => make("li", {}, line))),
  ];
}

/**
 * The territories that the eye wants: those touched and selected, else the farthest from their target.
 * @param {Drawing} drawing
 * @param {string[]} touched
 * @param {Set<number>} selection
 * @returns {Territory[]}
 */
export function wanted(drawing, touched, selection) {
  const { owner, territories } = drawing;
  const owners = new Set([...selection].map((unit) => owner[unit]));
  const near = territories.filter((one, i) => touched.includes(one.id) || owners.has(i));
  const off = (/** @type {Territory} */ one) => Math.max(...one.deviations.map((share) => Math.abs(share) || 0));
  return (near.length ? near : [...territories])
    .sort((a, b) => off(b) - off(a))
    .slice(0, near.length ? 2 * SHOWN : SHOWN);
}

/**
 * What the selection holds.
 * @param {Drawing} drawing
 * @param {Set<number>} selection
 * @returns {string}
 */
export function summed(drawing, selection) {
  if (!selection.size) return "Nothing selected.";
  const { owner, scene, values } = drawing;
  const owners = new Set([...selection].map((unit) => owner[unit]));
  const sums = scene.layers.slice(0, 2).map(({ title, share }, i) => {
    if (share) return "";
    let total = 0;
    for (const unit of selection) total += values[i][unit] || 0;
    return `, ${title.toLowerCase()} ${amount(total)}`;
  });
  const units = counted(selection.size, "unit");
  return `${units} in ${counted(owners.size, "territory", "territories")}${sums.join("")}.`;
}

/**
 * A unit's numbers, for the tooltip and the voice.
 * @param {Drawing} drawing
 * @param {number} unit
 * @returns {string[]} its name first
 */
export function about(drawing, unit) {
  const { scene, owner, locked, stray, territories, values } = drawing;
  const marks = [locked[unit] ? "locked" : "", stray[unit] ? "cut off" : ""].filter(Boolean);
  return [
    scene.names[unit],
    [territories[owner[unit]]?.id ?? "no territory", ...marks].join(", "),
    ...scene.layers.map(({ title, share }, i) => `${title} ${amount(values[i][unit], share)}`),
  ];
}

/**
 * Why a unit is where it is.
 * @param {Why} why
 * @param {string} name
 * @returns {HTMLElement[]}
 */
export function answer(why, name) {
  const heads = ["If it were in", "Away", "Costs more", "Then off"];
  const rows = why.rows.map((row) => [
    row.touches ? row.id : `${row.id} (apart)`,
    row.distance,
    row.more,
    row.deviation,
  ]);
  return [
    make("h3", {}, `Why here: ${name}`),
    make("p", {}, why.told),
    table("What another territory would mean", heads, rows),
  ];
}

/**
 * The map as tables: all territories, and the units of one.
 * @param {Drawing} drawing
 * @param {Set<number>} selection
 * @param {number} shown the territory whose units are listed, or -1
 * @param {{choose: (territory: number) => void, toggle: (unit: number) => void}} wishes
 * @returns {HTMLElement[]}
 */
export function tables(drawing, selection, shown, wishes) {
  const { scene, territories, owner } = drawing;
  const heads = [
    "Territory",
    "Units",
    ...scene.activities.flatMap(({ title }) => [title, "Off target"]),
    "Mean km",
    "Cut off",
  ];
  const rows = territories.map((one, i) => [
    make("button", { type: "button", click: () => wishes.choose(i) }, one.id),
    whole.format(one.units),
    ...one.loads.flatMap((load, a) => [amount(load), signed(one.deviations[a])]),
    one.mean_km === null ? "–" : amount(one.mean_km),
    whole.format(one.cut),
  ]);
  const found = [table("Territories", heads, rows)];
  if (shown < 0 || !territories[shown]) return found;
  const units = drawing.shapes.where(() => true).filter((unit) => owner[unit] === shown);
  const columns = ["Unit", ...scene.layers.map((layer) => layer.title)];
  found.push(
    table(
      `Units of ${territories[shown].id}`,
      columns,
      units.map((unit) => [
        make(
          "label",
          {},
          make("input", {
            type: "checkbox",
            checked: selection.has(unit),
            change: () => wishes.toggle(unit),
          }),
          ` ${scene.names[unit]}`,
        ),
        ...scene.layers.map(({ share }, i) => amount(drawing.values[i][unit], share)),
      ]),
    ),
  );
  return found;
}
