// The widget: joins the drawing, the stage and what stands around it to the model in Python.
import { Drawing } from "./draw.js";
import { about, amount, answer, balance, broken, make, summed, tables, wanted } from "./side.js";
import { Stage } from "./stage.js";

/**
 * @typedef {{get: (name: string) => any, set: (name: string, value: any) => void, save_changes: () => void,
 *   send: (message: any) => void, on: (event: string, call: (...args: any[]) => void) => void,
 *   off: (event: string, call: (...args: any[]) => void) => void}} Model
 */

const UNKNOWN = 255;
const HELP =
  "Arrows: next unit, with Shift selecting. N, P: next and previous territory. Space: select or not. " +
  "Enter: only this. T: the whole territory. A: assign. L, U: lock, unlock. M: mend. E: why here. " +
  "Ctrl+Z, Ctrl+Y: undo, redo. Plus, minus, 0: zoom. Escape: none.";

/**
 * Put a map into the page.
 * @param {{model: Model, el: HTMLElement}} place
 * @returns {() => void} what to call when it goes
 */
export function render({ model, el }) {
  const drawing = new Drawing(model.get("_scene"));
  const { scene } = drawing;
  const place = new Map(scene.ids.map((id, unit) => [id, unit]));
  const name = `tl${Math.random().toString(36).slice(2)}`;
  const frame = make("div", {
    class: "stage",
    tabindex: "0",
    role: "application",
    "aria-label": "Territory map",
    "aria-describedby": `${name}-help`,
  });
  const tip = make("div", { class: "tip", hidden: true });
  const key = make("div", { class: "key" });
  const said = make("p", { class: "said", role: "status" });
  const trouble = make("p", { class: "trouble", role: "alert", hidden: true });
  const holds = make("p", { class: "holds", role: "status" });
  const bars = make("div", { class: "bars" });
  const why = make("div", { class: "why" });
  const books = make("div", { class: "books" });
  const target = make("select", { "aria-label": "Territory to assign to" });
  let length = make("span");
  let listed = -1;

  const stage = new Stage(drawing, frame, {
    select(units, how) {
      const next = new Set(how === "set" ? [] : stage.selection);
      for (const unit of units) if (!(how === "toggle" && next.delete(unit))) next.add(unit);
      model.set(
        "selection",
        [...next].map((unit) => scene.ids[unit]),
      );
      model.save_changes();
    },
    hover(unit) {
      tip.hidden = unit < 0;
      if (unit < 0) return;
      const [title, ...lines] = about(drawing, unit);
      tip.replaceChildren(make("b", {}, title), ...lines.map((line) => make("span", {}, line)));
      const { middles } = drawing.shapes;
      const x = stage.view.k * middles[2 * unit] + stage.view.x;
      const y = stage.view.k * middles[2 * unit + 1] + stage.view.y;
      tip.style.left = `${Math.max(4, Math.min(x + 14, frame.clientWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${Math.max(4, y + 14 + tip.offsetHeight > frame.clientHeight ? y - tip.offsetHeight - 12 : y + 14)}px`;
      if (stage.focused) say([title, ...lines].join(", "));
    },
    key(letter) {
      const act = keys[letter];
      if (act) act();
      return Boolean(act);
    },
    painted() {
      frame.dataset.painted = String(Number(frame.dataset.painted ?? 0) + 1);
      const before = length;
      length = scale();
      before.replaceWith(length);
    },
  });

  /** @param {string} words */
  function say(words) {
    said.textContent = words;
    trouble.hidden = true;
  }

  /**
   * Ask Python for an edit.
   * @param {string} what
   * @param {Record<string, any>} [more]
   * @param {boolean} [needy] whether it needs a selection
   */
  function ask(what, more = {}, needy = true) {
    const units = [...stage.selection];
    if (needy && !units.length) return say("Select units first: click, drag a lasso, or press Space on the map.");
    frame.setAttribute("aria-busy", "true");
    if (what === "mend") say("Mending …");
    model.send({ do: what, units, ...more });
  }

  /** Merge all territories of the selection into the largest part's. */
  function merge() {
    const counts = new Map();
    for (const unit of stage.selection) {
      const one = drawing.territories[drawing.owner[unit]]?.id;
      if (one) counts.set(one, (counts.get(one) ?? 0) + 1);
    }
    const [largest, ...others] = [...counts].sort((a, b) => b[1] - a[1]).map(([id]) => id);
    if (!others.length) return say("Select units of two territories or more: the one with most of them stays.");
    ask("merge", { territory: largest, others });
  }

  function explain() {
    const unit = stage.selection.size ? [...stage.selection][0] : stage.cursor;
    if (unit < 0) return say("Select a unit first.");
    model.send({ do: "explain", units: [unit] });
  }

  /** @type {Record<string, () => void>} */
  const keys = {
    a: () => target.focus(),
    l: () => ask("lock"),
    u: () => ask("unlock"),
    m: () => ask("mend", {}, false),
    e: explain,
    "Ctrl+z": () => ask("undo", {}, false),
    "Ctrl+y": () => ask("redo", {}, false),
    "Ctrl+Shift+z": () => ask("redo", {}, false),
  };
  const button = (/** @type {string} */ label, /** @type {() => void} */ act, /** @type {string} */ hint = label) =>
    make("button", { type: "button", title: hint, click: act }, label);
  const radio = (/** @type {string} */ value, /** @type {string} */ label, /** @type {string} */ hint) =>
    make(
      "label",
      { title: hint },
      make("input", {
        type: "radio",
        name,
        value,
        ...(value === stage.tool && { checked: true }),
        change: () => {
          stage.tool = value;
          frame.dataset.tool = value;
        },
      }),
      make("span", {}, label),
    );
  const tick = (/** @type {string} */ label, /** @type {(on: boolean) => void} */ act) =>
    make(
      "label",
      { class: "tick" },
      make("input", {
        type: "checkbox",
        change: (/** @type {any} */ event) => act(event.target.checked),
      }),
      ` ${label}`,
    );
  const layers = make(
    "select",
    {
      "aria-label": "Layer",
      change: () => {
        drawing.colour(layers.value);
        legend();
        stage.repaint();
      },
    },
    ...[
      ["territory", "Territory"],
      ...scene.layers.map((one) => [one.name, one.title]),
      ["change", "Change against today"],
    ].map(([value, label]) => make("option", { value }, label)),
  );
  const undo = button("Undo", () => ask("undo", {}, false), "Undo (Ctrl+Z)");
  const redo = button("Redo", () => ask("redo", {}, false), "Redo (Ctrl+Y)");
  const first = button("Assign", () => ask("assign", { territory: target.value }), "Assign (A)");
  first.className = "first";
  const [nearer, farther, all] = [
    button("+", () => stage.zoom(1.5), "Zoom in"),
    button("−", () => stage.zoom(1 / 1.5), "Zoom out"),
    button("Fit", () => stage.fit(), "Show the whole map"),
  ];
  nearer.setAttribute("aria-label", "Zoom in");
  farther.setAttribute("aria-label", "Zoom out");

  function legend() {
    const at = scene.layers.find((one) => one.name === drawing.layer);
    const chip = (/** @type {string} */ colour, /** @type {string} */ words) =>
      make("span", {}, make("i", { style: `background:${colour}` }), words);
    const change =
      drawing.layer === "change"
        ? [chip(scene.tints[0], "moves, in its new territory's tint"), chip(scene.rest, "stays")]
        : [];
    const marks = [...(drawing.homes.length ? ["⌂ home"] : []), "hatched: locked", "red: cut off"];
    key.replaceChildren(
      ...(at ? at.ramp.map((colour, i) => chip(colour, at.legend[i])) : change),
      ...(at && drawing.classes[scene.layers.indexOf(at)].includes(UNKNOWN) ? [chip(scene.rest, "not known")] : []),
      make("span", {}, marks.join(" · ")),
      length,
    );
  }

  function scale() {
    if (!scene.km) return make("span");
    const most = 110 / stage.view.k;
    const round = 10 ** Math.floor(Math.log10(most));
    const km = [5, 2, 1].map((times) => times * round).find((length) => length <= most) ?? round;
    return make("span", { class: "scale" }, make("i", { style: `width:${km * stage.view.k}px` }), `${amount(km)} km`);
  }

  function aside() {
    const state = model.get("_state");
    holds.textContent = summed(drawing, stage.selection);
    const shown = wanted(drawing, state.touched, stage.selection);
    bars.replaceChildren(...balance(drawing, shown), ...broken(state.broken));
    if (book.open)
      books.replaceChildren(
        ...tables(drawing, stage.selection, listed, {
          choose(territory) {
            listed = territory;
            const label = drawing.territories[territory].label;
            if (label) stage.cursor = drawing.shapes.at(label[0], label[1]);
            stage.wishes.select(
              drawing.shapes.where(() => true).filter((unit) => drawing.owner[unit] === territory),
              "set",
            );
          },
          toggle: (unit) => stage.wishes.select([unit], "toggle"),
        }),
      );
  }

  function changed() {
    const state = model.get("_state");
    drawing.take(state);
    const chosen = target.value;
    target.replaceChildren(
      ...state.territories.map((/** @type {any} */ one) => make("option", { value: one.id }, one.id)),
    );
    if (chosen && drawing.territories.some((one) => one.id === chosen)) target.value = chosen;
    undo.setAttribute("aria-disabled", String(!state.undo));
    redo.setAttribute("aria-disabled", String(!state.redo));
    frame.removeAttribute("aria-busy");
    why.replaceChildren();
    say(state.said);
    legend();
    aside();
    stage.repaint();
  }

  function selected() {
    const units = model.get("selection").map((/** @type {string} */ id) => place.get(id));
    stage.selection = new Set(units.filter((/** @type {number | undefined} */ unit) => unit !== undefined));
    aside();
    stage.refresh();
  }

  /** @param {any} message */
  function told(message) {
    frame.removeAttribute("aria-busy");
    if (message.why) why.replaceChildren(...answer(message.why, scene.names[place.get(message.why.unit) ?? 0]));
    if (message.why) said.textContent = message.why.told;
    trouble.hidden = !message.trouble;
    trouble.textContent = message.trouble ?? "";
  }

  const book = make("details", { toggle: aside }, make("summary", {}, "The map as tables"), books);
  const root = make(
    "section",
    { class: "tl-map", "aria-label": "Territory map", "data-lm-suppress-shortcuts": "true" },
    make(
      "div",
      { class: "tools" },
      make(
        "fieldset",
        {},
        make("legend", { class: "unseen" }, "Tool"),
        radio("pan", "Move", "Drag moves the map"),
        radio("lasso", "Lasso", "Drag round units"),
        radio("box", "Box", "Drag a box over units"),
      ),
      tick("Whole territories", (on) => {
        stage.whole = on;
      }),
      make("label", {}, "Layer ", layers),
      ...(drawing.accounts.length
        ? [
            tick("Accounts", (on) => {
              stage.dots = on;
              stage.repaint();
            }),
          ]
        : []),
      make("span", { class: "group" }, undo, redo),
      make("span", { class: "group" }, nearer, farther, all),
    ),
    make(
      "div",
      { class: "body" },
      make("div", { class: "left" }, frame, key, make("p", { class: "unseen", id: `${name}-help` }, HELP)),
      make(
        "div",
        { class: "side" },
        make("h3", {}, "Selection"),
        holds,
        make("div", { class: "acts" }, target, first),
        make(
          "div",
          { class: "acts" },
          button("Lock", () => ask("lock"), "Hold where they are (L)"),
          button("Unlock", () => ask("unlock"), "Release (U)"),
          button("Split off", () => ask("split"), "Make a territory of them"),
          button("New here", () => ask("new"), "Found a territory whose owner lives in the first one"),
          button("Merge", merge, "Join their territories"),
          button("Why here?", explain, "Why this unit is here (E)"),
          button("Mend this", () => ask("mend", {}, false), "Bring back within the limits (M)"),
        ),
        said,
        trouble,
        why,
        make("h3", {}, "Balance"),
        bars,
      ),
    ),
    book,
  );
  frame.append(tip);
  el.append(root);
  const views = { "change:_state": changed, "change:selection": selected, "msg:custom": told };
  for (const [event, call] of Object.entries(views)) model.on(event, call);
  frame.style.aspectRatio = `${scene.width} / ${scene.height}`;
  selected();
  changed();
  return () => {
    stage.watcher.disconnect();
    for (const [event, call] of Object.entries(views)) model.off(event, call);
  };
}

export default { render };
