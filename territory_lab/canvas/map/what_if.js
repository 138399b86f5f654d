// The map of a page without Python: what if a place were with another territory? Summed up here, and kept nowhere.
import { Drawing } from "./draw.js";
import { numbers, OUTSIDE } from "./geometry.js";
import { Stage } from "./stage.js";

/** @typedef {import("./draw.js").Scene} Scene */
/** @typedef {import("./geometry.js").Bytes} Bytes */
/**
 * @typedef {{values: Bytes, target: number[]}} Measure by unit, and by territory
 * @typedef {Scene & {states: Bytes, owner: Bytes, territories: {id: string, tint: number}[], homes: number[][],
 *   measures: Measure[], tolerance: number}} Told
 */

const SHOWN = 8;
const ZOOM = 1.5;
const ROUNDING = 5e-4;

/**
 * The borders between units, each stretch once; JSON carries the rings only.
 * @param {Float32Array} xy
 * @param {Uint32Array} ends
 * @param {Uint32Array} units
 * @param {Uint16Array} states
 */
function borders(xy, ends, units, states) {
  const [edges, beside] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  /** @type {Map<string, number>} */
  const known = new Map();
  for (let ring = 0, i = 0; ring < ends.length; ring++, i++) {
    for (; i < ends[ring] - 1; i++) {
      const [a, b] = [xy.subarray(2 * i, 2 * i + 2), xy.subarray(2 * i + 2, 2 * i + 4)];
      const key = a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? `${a},${b}` : `${b},${a}`;
      const at = known.get(key);
      if (at !== undefined && beside[at] !== units[ring]) beside[at + 1] = units[ring];
      if (at !== undefined) continue;
      known.set(key, beside.length);
      edges.push(...a, ...b);
      beside.push(units[ring], OUTSIDE);
    }
  }
  const lines = Uint8Array.from({ length: beside.length / 2 }, (_, i) =>
    Number(states[beside[2 * i]] !== states[beside[2 * i + 1]]),
  );
  const [stretches, sides] = [new Float32Array(edges), new Uint32Array(beside)];
  return { edges: stretches.buffer, edge_units: sides.buffer, edge_lines: lines.buffer };
}

/** A plan that may be changed, with what it was. */
class WhatIf {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    const told = JSON.parse(this.part("script").textContent ?? "", (_, value) =>
      typeof value?.base64 === "string" ? Uint8Array.from(atob(value.base64), (x) => x.charCodeAt(0)).buffer : value,
    );
    this.told = /** @type {Told} */ (told);
    const rings = /** @type {const} */ ([numbers(told.ring_ends, Uint32Array), numbers(told.ring_units, Uint32Array)]);
    const found = borders(numbers(told.xy, Float32Array), ...rings, numbers(told.states, Uint16Array));
    const none = new ArrayBuffer(0);
    this.drawing = new Drawing({ ...told, ...found, accounts: none, layers: [], activities: [], km: false });
    this.measures = this.told.measures.map((one) => ({ ...one, values: numbers(one.values, Float32Array) }));
    this.first = numbers(told.owner, Uint16Array);
    this.owner = this.first.slice();
    this.before = this.deviations();
    const language = document.documentElement.lang;
    this.whole = new Intl.NumberFormat(language);
    this.figure = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    this.part(".stage").style.aspectRatio = `${told.width} / ${told.height}`;
    this.stage = new Stage(this.drawing, this.part(".stage"), {
      select: (units, how) => this.select(units, how),
      hover: (unit) => this.tell(unit < 0 ? this.stage.selection : new Set([unit])),
      key: (letter) => letter === "a" && this.give(),
      painted: () => {
        this.stage.frame.dataset.painted = String(Number(this.stage.frame.dataset.painted ?? 0) + 1);
      },
    });
    this.listen();
    this.show();
    this.tell(this.stage.selection);
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  part(selector) {
    return /** @type {HTMLElement} */ (this.root.querySelector(selector));
  }

  listen() {
    const acts = /** @type {Record<string, () => void>} */ ({
      give: () => this.give(),
      reset: () => this.reset(),
      nearer: () => this.stage.zoom(ZOOM),
      farther: () => this.stage.zoom(1 / ZOOM),
      fit: () => this.stage.fit(),
    });
    for (const [name, act] of Object.entries(acts)) this.part(`[name=${name}]`).addEventListener("click", act);
    const { frame } = this.stage;
    const scrolled = (/** @type {Event} */ event) => frame.matches(":focus") || event.stopImmediatePropagation();
    frame.addEventListener("wheel", scrolled, { capture: true }); // the page scrolls on, until the map is worked on
    for (const { id } of this.told.territories) this.target.append(new Option(id));
  }

  get target() {
    return /** @type {HTMLSelectElement} */ (this.part("select"));
  }

  /**
   * @param {number[]} units
   * @param {"set" | "add" | "toggle"} how
   */
  select(units, how) {
    const next = new Set(how === "set" ? [] : this.stage.selection);
    for (const unit of units) if (!(how === "toggle" && next.delete(unit))) next.add(unit);
    this.stage.selection = next;
    this.tell(next);
    this.stage.refresh();
  }

  /** Give what is selected to the territory chosen. */
  give() {
    for (const unit of this.stage.selection) this.owner[unit] = this.target.selectedIndex;
    this.show();
    this.tell(this.stage.selection);
    return true;
  }

  reset() {
    this.owner = this.first.slice();
    this.select([], "set");
    this.show();
  }

  /** @returns {number[][]} by measure and territory, the share above or below what it should carry */
  deviations() {
    return this.measures.map(({ values, target }) => {
      const loads = target.map(() => 0);
      for (const [unit, owner] of this.owner.entries()) if (owner < loads.length) loads[owner] += values[unit];
      return loads.map((load, k) => load / target[k] - 1);
    });
  }

  /**
   * Where the names can stand: at the unit of a territory that is farthest from those of others.
   * @returns {(number[] | null)[]} x, y and the room around
   */
  labels() {
    const { middles, count } = this.drawing.shapes;
    const best = this.told.territories.map(() => /** @type {number[] | null} */ (null));
    for (let unit = 0; unit < count; unit++) {
      const [x, y, own] = [middles[2 * unit], middles[2 * unit + 1], this.owner[unit]];
      if (own >= best.length || Number.isNaN(x)) continue;
      const least = best[own]?.[2] ?? -1;
      let room = Infinity;
      for (let i = 0; i < count && room > least ** 2; i++) {
        if (this.owner[i] !== own)
          room = Math.min(room, (middles[2 * i] - x) ** 2 + (middles[2 * i + 1] - y) ** 2 || Infinity);
      }
      if (room > least ** 2) best[own] = [x, y, Math.min(Math.sqrt(room), 1e9)];
    }
    return best;
  }

  /** Draw the plan and write its balance. */
  show() {
    const labels = this.labels();
    const none = new Uint8Array(this.owner.length).buffer;
    const plain = { units: 0, loads: [], deviations: [], mean_km: null, cut: 0 };
    const territories = this.told.territories.map((one, k) => ({ ...one, ...plain, label: labels[k] }));
    const said = { touched: [], undo: false, redo: false, said: "", broken: [] };
    const { homes } = this.told;
    this.drawing.take({
      owner: this.owner.buffer,
      locked: none,
      stray: none,
      moved: none,
      territories,
      homes,
      ...said,
    });
    this.stage.repaint();
    this.weigh();
  }

  /** Write the territories that were touched, then those farthest off, with what they were. */
  weigh() {
    const now = this.deviations();
    const { territories, tolerance } = this.told;
    const touched = new Set();
    for (const [unit, own] of this.owner.entries()) {
      if (own !== this.first[unit]) touched.add(own).add(this.first[unit]);
    }
    const off = (/** @type {number} */ share) => Math.abs(share) > tolerance + ROUNDING;
    const order = [...territories.keys()].sort(
      (a, b) => Number(touched.has(b)) - Number(touched.has(a)) || Math.abs(now[0][b]) - Math.abs(now[0][a]),
    );
    const rows = order.slice(0, Math.max(SHOWN, touched.size)).map((k) => {
      const row = document.createElement("tr");
      row.insertCell().append(territories[k].id);
      for (const [i, shares] of now.entries()) {
        for (const share of [this.before[i][k], shares[k]]) {
          const cell = row.insertCell();
          cell.className = off(share) ? "n off" : "n";
          cell.append(`${off(share) ? (share > 0 ? "▲ " : "▼ ") : ""}${this.percent(share)}`);
        }
      }
      return row;
    });
    this.part("tbody").replaceChildren(...rows);
    const moved = this.owner.reduce((sum, own, unit) => sum + Number(own !== this.first[unit]), 0);
    const outside = this.whole.format(now[0].filter(off).length);
    this.say(".weighed", { moved: this.whole.format(moved), outside });
  }

  /**
   * Say what some places hold.
   * @param {Set<number>} units
   */
  tell(units) {
    const { told, owner } = this;
    const [first] = units;
    const load = [...units].reduce((sum, unit) => sum + this.measures[0].values[unit], 0);
    const owners = [...new Set([...units].map((unit) => told.territories[owner[unit]]?.id ?? "–"))].join(", ");
    const place = units.size === 1 ? told.names[first] : this.whole.format(units.size);
    this.say(".about", { place: units.size ? place : "–", owners: owners || "–", load: this.figure.format(load) });
  }

  /**
   * Fill the gaps of a sentence.
   * @param {string} selector
   * @param {Record<string, string>} words
   */
  say(selector, words) {
    const place = this.part(selector);
    place.textContent = (place.dataset.text ?? "").replace(/{(\w+)}/g, (_, name) => words[name]);
  }

  /**
   * Write a share as the report's tables do.
   * @param {number} share
   * @returns {string}
   */
  percent(share) {
    if (!Number.isFinite(share)) return "–";
    const digits = Math.abs(share) < 0.0995 ? 1 : 0;
    const text = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: digits });
    const sign = { "-1": "−", 0: "", 1: "+" }[String(Math.sign(Number((100 * share).toFixed(digits))))];
    return `${sign}${text.format(Math.abs(100 * share))}\u00a0%`;
  }
}

for (const root of document.querySelectorAll(".what-if")) {
  root.removeAttribute("hidden");
  new WhatIf(/** @type {HTMLElement} */ (root));
}
