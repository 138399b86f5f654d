// The widget: joins the drawing, the stage and what stands around it to the model in Python.
import { Drawing } from "./draw.js";
import {
  about,
  answer,
  balance,
  broken,
  button,
  choice,
  legend,
  make,
  options,
  radios,
  scale,
  summed,
  tables,
  tick,
  wanted,
} from "./side.js";
import { Stage } from "./stage.js";

/**
 * @typedef {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void,
 *   send: (message: any) => void, on: (event: string, call: (...args: any[]) => void) => void,
 *   off: (event: string, call: (...args: any[]) => void) => void}} Model
 */

const ZOOM = 1.5;
const HELP =
  "Arrows: next unit, with Shift selecting. N, P: next and previous territory. Space: select or not. " +
  "Enter: only this. T: the whole territory. A: assign. L, U: lock, unlock. M: mend. E: why here. " +
  "Ctrl+Z, Ctrl+Y: undo, redo. Plus, minus, 0: zoom. Escape: none.";
const TOOLS = [
  ["pan", "Move", "Drag moves the map"],
  ["lasso", "Lasso", "Drag round units"],
  ["box", "Box", "Drag a box over units"],
];

/** One map on the page. */
class MapView {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.drawing = new Drawing(model.get("_scene"));
    const { scene } = this.drawing;
    this.units = new Map(scene.ids.map((id, unit) => [id, unit]));
    this.name = `tl${Math.random().toString(36).slice(2)}`;
    this.listed = -1;
    this.frame = make("div", {
      class: "stage",
      style: `aspect-ratio:${scene.width} / ${scene.height}`,
      tabindex: "0",
      role: "application",
      "aria-label": "Territory map",
      "aria-describedby": `${this.name}-help`,
    });
    this.tip = make("div", { class: "tip", hidden: true });
    this.key = make("div", { class: "key" });
    this.length = make("span", { class: "length" });
    this.said = make("p", { class: "said", role: "status" });
    this.trouble = make("p", { class: "trouble", role: "alert", hidden: true });
    this.holds = make("p", { class: "holds", role: "status" });
    this.bars = make("div", { class: "bars" });
    this.why = make("div", { class: "why" });
    this.books = make("div", { class: "books" });
    this.book = make("details", { toggle: () => this.list() }, make("summary", {}, "The map as tables"), this.books);
    this.target = choice("Territory to assign to", []);
    this.undo = button("Undo", () => this.ask("undo", {}, false), "Undo (Ctrl+Z)");
    this.redo = button("Redo", () => this.ask("redo", {}, false), "Redo (Ctrl+Y)");
    this.stage = new Stage(this.drawing, this.frame, {
      select: (units, how) => this.select(units, how),
      hover: (unit) => this.hover(unit),
      key: (letter) => this.press(letter),
      painted: () => this.painted(),
    });
    this.frame.append(this.tip);
  }

  /** @returns {HTMLElement} all of it, to be put into the page */
  build() {
    const help = make("p", { class: "unseen", id: `${this.name}-help` }, HELP);
    const key = make("div", { class: "foot" }, this.key, this.length);
    return make(
      "section",
      { class: "tl-map", "aria-label": "Territory map", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "tools" }, ...this.tools()),
      make(
        "div",
        { class: "body" },
        make("div", {}, this.frame, key, help),
        make("div", { class: "side" }, ...this.side()),
      ),
      this.book,
    );
  }

  /** @returns {HTMLElement[]} how to look and point */
  tools() {
    const { stage, drawing, frame } = this;
    const shown = drawing.scene.layers.map((one) => [one.name, one.title]);
    const choices = [["territory", "Territory"], ...shown, ["change", "Change against today"]];
    const layers = choice("Layer", choices, () => {
      drawing.colour(layers.value);
      this.key.replaceChildren(...legend(drawing));
      stage.repaint();
    });
    const point = radios("Tool", this.name, TOOLS, (tool) => {
      stage.tool = tool;
      frame.dataset.tool = tool;
    });
    const whole = tick("Whole territories", (on) => {
      stage.whole = on;
    });
    const accounts = tick("Accounts", (on) => {
      stage.dots = on;
      stage.repaint();
    });
    const nearer = button("+", () => stage.zoom(ZOOM), "Zoom in");
    const farther = button("−", () => stage.zoom(1 / ZOOM), "Zoom out");
    nearer.setAttribute("aria-label", "Zoom in");
    farther.setAttribute("aria-label", "Zoom out");
    const fit = button("Fit", () => stage.fit(), "Show the whole map");
    return [
      point,
      whole,
      make("label", {}, "Layer ", layers),
      ...(drawing.accounts.length ? [accounts] : []),
      make("span", { class: "group" }, this.undo, this.redo),
      make("span", { class: "group" }, nearer, farther, fit),
    ];
  }

  /** @returns {HTMLElement[]} what to do with the selection, and what came of it */
  side() {
    const assign = button("Assign", () => this.ask("assign", { territory: this.target.value }), "Assign (A)");
    assign.className = "first";
    const acts = [
      button("Lock", () => this.ask("lock"), "Hold where they are (L)"),
      button("Unlock", () => this.ask("unlock"), "Release (U)"),
      button("Split off", () => this.ask("split"), "Make a territory of them"),
      button("New here", () => this.ask("new"), "Found a territory whose owner lives in the first one"),
      button("Merge", () => this.merge(), "Join their territories"),
      button("Why here?", () => this.explain(), "Why this unit is here (E)"),
      button("Mend this", () => this.ask("mend", {}, false), "Bring back within the limits (M)"),
    ];
    return [
      make("h3", {}, "Selection"),
      this.holds,
      make("div", { class: "acts" }, this.target, assign),
      make("div", { class: "acts" }, ...acts),
      this.said,
      this.trouble,
      this.why,
      make("h3", {}, "Balance"),
      this.bars,
    ];
  }

  /**
   * @param {string} letter
   * @returns {boolean} whether the key does something
   */
  press(letter) {
    /** @type {Record<string, () => void>} */
    const keys = {
      a: () => this.target.focus(),
      l: () => this.ask("lock"),
      u: () => this.ask("unlock"),
      m: () => this.ask("mend", {}, false),
      e: () => this.explain(),
      "Ctrl+z": () => this.ask("undo", {}, false),
      "Ctrl+y": () => this.ask("redo", {}, false),
      "Ctrl+Shift+z": () => this.ask("redo", {}, false),
    };
    keys[letter]?.();
    return letter in keys;
  }

  /** @param {string} words */
  say(words) {
    this.said.textContent = words;
    this.trouble.hidden = true;
  }

  /**
   * Ask Python for an edit.
   * @param {string} what
   * @param {Record<string, any>} [more]
   * @param {boolean} [needy] whether it needs a selection
   */
  ask(what, more = {}, needy = true) {
    const units = [...this.stage.selection];
    if (needy && !units.length) return this.say("Select units first: click, drag a lasso, or press Space on the map.");
    this.frame.setAttribute("aria-busy", "true");
    if (what === "mend") this.say("Mending …");
    this.model.send({ do: what, units, ...more });
  }

  /** Merge the territories of the selection into the one with most of it. */
  merge() {
    const { territories, owner } = this.drawing;
    const counts = new Map();
    for (const unit of this.stage.selection) {
      const one = territories[owner[unit]]?.id;
      if (one) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    const [largest, ...others] = [...counts].sort((a, b) => b[1] - a[1]).map(([id]) => id);
    if (!others.length) return this.say("Select units of two territories or more: the one with most of them stays.");
    this.ask("merge", { territory: largest, others });
  }

  /** Ask why the selected unit, or the one under the cursor, is where it is. */
  explain() {
    const { selection, cursor } = this.stage;
    const unit = selection.size ? [...selection][0] : cursor;
    if (unit < 0) return this.say("Select a unit first.");
    this.model.send({ do: "explain", units: [unit] });
  }

  /**
   * @param {number[]} units
   * @param {"set" | "add" | "toggle"} how
   */
  select(units, how) {
    const next = new Set(how === "set" ? [] : this.stage.selection);
    for (const unit of units) if (!(how === "toggle" && next.delete(unit))) next.add(unit);
    const ids = [...next].map((unit) => this.drawing.scene.ids[unit]);
    this.model.set("selection", ids);
    this.model.save_changes();
  }

  /** @param {number} unit */
  hover(unit) {
    const { tip, stage, frame, drawing } = this;
    tip.hidden = unit < 0;
    if (unit < 0) return;
    const [title, ...lines] = about(drawing, unit);
    tip.replaceChildren(make("b", {}, title), ...lines.map((line) => make("span", {}, line)));
    const { middles } = drawing.shapes;
    const x = stage.view.k * middles[2 * unit] + stage.view.x + 14;
    const y = stage.view.k * middles[2 * unit + 1] + stage.view.y + 14;
    const low = y + tip.offsetHeight > frame.clientHeight;
    tip.style.left = `${Math.max(4, Math.min(x, frame.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, low ? y - tip.offsetHeight - 26 : y)}px`;
    if (stage.focused) this.say([title, ...lines].join(", "));
  }

  painted() {
    this.frame.dataset.painted = String(Number(this.frame.dataset.painted ?? 0) + 1);
    if (this.drawing.scene.km) this.length.replaceChildren(scale(this.stage.view.k));
  }

  /** Show what the selection holds, and the balance it touches. */
  weigh() {
    const { drawing, stage } = this;
    const state = this.model.get("_state");
    this.holds.textContent = summed(drawing, stage.selection);
    const shown = wanted(drawing, state.touched, stage.selection);
    this.bars.replaceChildren(...balance(drawing, shown), ...broken(state.broken));
    this.list();
  }

  /** Write the tables where they are open; the focus stays where it was. */
  list() {
    if (!this.book.open) return;
    const controls = () => [...this.books.querySelectorAll("button, input")];
    const at = controls().findIndex((one) => one.matches(":focus"));
    const wishes = {
      choose: (/** @type {number} */ territory) => this.choose(territory),
      toggle: (/** @type {number} */ unit) => this.select([unit], "toggle"),
    };
    this.books.replaceChildren(...tables(this.drawing, this.stage.selection, this.listed, wishes));
    if (at >= 0) /** @type {HTMLElement | undefined} */ (controls()[at])?.focus();
  }

  /** @param {number} territory listed and selected from then on */
  choose(territory) {
    const { shapes, owner, territories } = this.drawing;
    const { label } = territories[territory];
    this.listed = territory;
    if (label) this.stage.cursor = shapes.at(label[0], label[1]);
    this.select(
      shapes.where(() => true).filter((unit) => owner[unit] === territory),
      "set",
    );
  }

  /** Take up what Python says of the plan. */
  changed() {
    const state = this.model.get("_state");
    const { target, drawing } = this;
    drawing.take(state);
    const chosen = target.value;
    target.replaceChildren(...options(drawing.territories.map(({ id }) => [id, id])));
    if (drawing.territories.some((one) => one.id === chosen)) target.value = chosen;
    this.undo.setAttribute("aria-disabled", String(!state.undo));
    this.redo.setAttribute("aria-disabled", String(!state.redo));
    this.frame.removeAttribute("aria-busy");
    this.why.replaceChildren();
    this.say(state.said);
    this.key.replaceChildren(...legend(drawing));
    this.weigh();
    this.stage.repaint();
  }

  /** Take up what is selected. */
  selected() {
    const units = this.model.get("selection").map((/** @type {string} */ id) => this.units.get(id) ?? -1);
    this.stage.selection = new Set(units.filter((/** @type {number} */ unit) => unit >= 0));
    this.weigh();
    this.stage.refresh();
  }

  /** @param {any} message an answer, or what went wrong */
  told(message) {
    this.frame.removeAttribute("aria-busy");
    if (message.why) {
      this.say(message.why.told);
      this.why.replaceChildren(...answer(message.why, this.drawing.scene.names[this.units.get(message.why.unit) ?? 0]));
    }
    this.trouble.hidden = !message.trouble;
    this.trouble.textContent = message.trouble ?? "";
  }
}

/**
 * Put a map into the page.
 * @param {{model: Model, el: HTMLElement}} place
 * @returns {() => void} what to call when it goes
 */
function render({ model, el }) {
  const view = new MapView(model);
  el.append(view.build());
  const calls = Object.entries({
    "change:_state": () => view.changed(),
    "change:selection": () => view.selected(),
    "msg:custom": (/** @type {any} */ message) => view.told(message),
  });
  for (const [event, call] of calls) model.on(event, call);
  view.changed();
  view.selected();
  return () => {
    view.stage.watcher.disconnect();
    for (const [event, call] of calls) model.off(event, call);
  };
}

export default { render };
