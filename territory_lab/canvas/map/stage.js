// The stage: a canvas that is looked at and worked on, by pointer, wheel, fingers and keys.
import { Drawing } from "./draw.js";

/** @typedef {import("./geometry.js").View} View */
/** @typedef {import("./geometry.js").XY} XY */
/**
 * @typedef {{select: (units: number[], how: "set" | "add" | "toggle") => void, hover: (unit: number) => void,
 *   key: (key: string) => boolean, painted: () => void}} Wishes
 */

const STEP = 1.25;
const MARGIN = 0.25; // of the stage, on each side, that the layer of accounts reaches beyond it
const REST = 120; // milliseconds after which a zoom is over
const DEEPEST = 60; // times the whole map
const ARROWS = /** @type {Record<string, XY>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});

/** A picture of a view with a margin around it, moved and stretched with the view rather than painted anew. */
class Layer {
  constructor() {
    this.canvas = document.createElement("canvas");
    /** @type {View | undefined} */
    this.view = undefined;
  }

  /**
   * Put it on a canvas, painted anew where it no longer serves.
   * @param {CanvasRenderingContext2D} context
   * @param {View} view in device pixels
   * @param {boolean} patient whether it may be stretched and come short for now
   * @param {(pen: CanvasRenderingContext2D, view: View) => void} draw
   */
  put(context, view, patient, draw) {
    const { width, height } = context.canvas;
    const [wide, tall] = [Math.ceil(MARGIN * width), Math.ceil(MARGIN * height)];
    const { k, x, y } = this.view ?? view;
    const far = k !== view.k || Math.abs(x - view.x) > wide || Math.abs(y - view.y) > tall;
    if (!this.view || (far && !patient)) {
      this.view = view;
      this.canvas.width = width + 2 * wide;
      this.canvas.height = height + 2 * tall;
      const pen = this.canvas.getContext("2d");
      if (pen) draw(pen, { k: view.k, x: view.x + wide, y: view.y + tall });
    }
    const ratio = view.k / this.view.k;
    const [left, top] = [view.x - ratio * (this.view.x + wide), view.y - ratio * (this.view.y + tall)];
    context.setTransform(ratio, 0, 0, ratio, left, top);
    context.drawImage(this.canvas, 0, 0);
  }
}

/** A canvas with its view, its tools and its cursor. */
export class Stage {
  /**
   * @param {Drawing} drawing
   * @param {HTMLElement} frame
   * @param {Wishes} wishes
   */
  constructor(drawing, frame, wishes) {
    this.drawing = drawing;
    this.frame = frame;
    this.wishes = wishes;
    this.tool = "pan";
    this.whole = false;
    this.dots = false;
    /** @type {Set<number>} */
    this.selection = new Set();
    this.cursor = -1;
    this.hovered = -1;
    /** @type {XY[]} */
    this.trail = [];
    /** @type {Map<number, XY>} */
    this.fingers = new Map();
    this.view = { x: 0, y: 0, k: 1 };
    this.fitted = 1;
    this.canvas = this.sheet();
    this.over = this.sheet();
    this.ground = new Layer();
    this.points = new Layer();
    /** @type {Set<number> | undefined} */
    this.outlined = undefined;
    this.focused = false;
    this.dragged = false;
    this.dot = 1;
    this.sized = false;
    this.zooming = 0;
    this.stale = true;
    this.waiting = 0;
    this.listen();
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(frame);
  }

  sheet() {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    this.frame.append(canvas);
    return canvas;
  }

  /** Show the whole map in the space there is. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    if (!width || !height) return;
    this.dot = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = width * this.dot;
      canvas.height = height * this.dot;
    }
    this.points.view = undefined;
    const { scene } = this.drawing;
    this.fitted = Math.min((width - 20) / scene.width, (height - 20) / scene.height);
    this.view = {
      k: this.fitted,
      x: (width - this.fitted * scene.width) / 2,
      y: (height - this.fitted * scene.height) / 2,
    };
    this.repaint();
  }

  /** Keep what is looked at in the middle when the space changes. */
  resize() {
    const zoomed = this.view.k / this.fitted;
    const [across, down] = this.onMap([this.frame.clientWidth / 2, this.frame.clientHeight / 2]);
    this.fit();
    if (this.sized && zoomed > 1) {
      const k = zoomed * this.fitted;
      this.view = { k, x: this.frame.clientWidth / 2 - k * across, y: this.frame.clientHeight / 2 - k * down };
    }
    this.sized = true;
  }

  /** Paint anew at the next frame. */
  repaint() {
    this.ground.view = undefined;
    this.shift();
  }

  /** Show another view of the same at the next frame. */
  shift() {
    this.stale = true;
    this.refresh();
  }

  /** Paint what lies over the map anew at the next frame. */
  refresh() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      if (this.stale) this.paint();
      this.paintOver();
    });
  }

  /** The view in device pixels. */
  get device() {
    const { dot } = this;
    return { k: this.view.k * dot, x: this.view.x * dot, y: this.view.y * dot };
  }

  /**
   * @param {string} name
   * @returns {string} the colour of a token, light or dark
   */
  token(name) {
    return getComputedStyle(this.frame).getPropertyValue(`--${name}`).trim();
  }

  paint() {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    this.stale = false;
    const { dot } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const hairline = this.token("hairline");
    /** @type {(pen: CanvasRenderingContext2D, view: View) => void} */
    const draw = (pen, view) => this.drawing.paint(pen, view, dot, this.fitted * dot, hairline);
    if (this.zooming) draw(context, this.device);
    else this.ground.put(context, this.device, false, draw);
    if (this.dots) {
      this.points.put(context, this.device, this.zooming > 0, (pen, view) =>
        this.drawing.paintAccounts(pen, view, dot),
      );
    }
    this.drawing.paintNames(context, this.device, dot);
    this.wishes.painted();
  }

  paintOver() {
    const context = this.over.getContext("2d");
    if (!context) return;
    const { k, x, y } = this.device;
    const { dot } = this;
    const accent = this.token("accent");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.over.width, this.over.height);
    context.setTransform(k, 0, 0, k, x, y);
    const ring = (/** @type {Path2D} */ path, /** @type {string} */ colour, /** @type {number} */ width) => {
      context.strokeStyle = colour;
      context.lineWidth = (width * dot) / k;
      context.stroke(path);
    };
    if (this.selection.size && this.outlined !== this.selection) {
      this.chosen = this.drawing.area((unit) => this.selection.has(unit));
      this.chosenLine = this.drawing.outline((unit) => this.selection.has(unit));
      this.outlined = this.selection;
    }
    if (this.selection.size && this.chosen && this.chosenLine) {
      context.globalAlpha = 0.2;
      context.fillStyle = "#0b6e99";
      context.fill(this.chosen, "evenodd");
      context.globalAlpha = 1;
      ring(this.chosenLine, "#fefefe", 4);
      ring(this.chosenLine, "#074a68", 2.2);
    }
    for (const [unit, width] of [
      [this.hovered, 1.6],
      [this.focused ? this.cursor : -1, 3],
    ]) {
      if (unit < 0) continue;
      const path = this.drawing.area((one) => one === unit);
      ring(path, "#fefefe", width + 2.4);
      ring(path, this.drawing.scene.ink, width);
    }
    if (this.trail.length > 1) {
      const [first, last] = [this.trail[0], this.trail[this.trail.length - 1]];
      const path = new Path2D();
      if (this.tool === "box") path.rect(first[0], first[1], last[0] - first[0], last[1] - first[1]);
      else for (const [at, point] of this.trail.entries()) path[at ? "lineTo" : "moveTo"](...point);
      context.globalAlpha = 0.12;
      context.fillStyle = accent;
      context.fill(path);
      context.globalAlpha = 1;
      context.setLineDash([(5 * dot) / k, (3 * dot) / k]);
      ring(path, accent, 1.6);
      context.setLineDash([]);
    }
  }

  /**
   * Zoom, with a point of the screen held in its place.
   * @param {number} times
   * @param {number} [x]
   * @param {number} [y]
   */
  zoom(times, x = this.frame.clientWidth / 2, y = this.frame.clientHeight / 2) {
    const k = Math.min(Math.max(this.view.k * times, 0.8 * this.fitted), DEEPEST * this.fitted);
    const ratio = k / this.view.k;
    this.view = { k, x: x - ratio * (x - this.view.x), y: y - ratio * (y - this.view.y) };
    clearTimeout(this.zooming);
    this.zooming = setTimeout(() => {
      this.zooming = 0;
      this.shift();
    }, REST);
    this.shift();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.shift();
  }

  /**
   * @param {MouseEvent} event
   * @returns {XY} the place on the screen, within the stage
   */
  place(event) {
    const box = this.frame.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /**
   * @param {XY} place
   * @returns {XY} the place on the map
   */
  onMap([x, y]) {
    return [(x - this.view.x) / this.view.k, (y - this.view.y) / this.view.k];
  }

  listen() {
    const { frame } = this;
    frame.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.zoom(STEP ** (-event.deltaY / 100), ...this.place(event));
      },
      { passive: false },
    );
    frame.addEventListener("pointerdown", (event) => this.press(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    frame.addEventListener("pointerup", (event) => this.lift(event));
    frame.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    frame.addEventListener("pointerleave", () => this.hover(-1));
    frame.addEventListener("keydown", (event) => this.keyed(event));
    for (const name of ["focus", "blur"]) {
      frame.addEventListener(name, () => {
        this.focused = frame.matches(":focus-visible");
        this.refresh();
      });
    }
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    this.frame.setPointerCapture(event.pointerId);
    this.frame.focus({ preventScroll: true });
    const place = this.place(event);
    this.fingers.set(event.pointerId, place);
    this.began = place;
    this.dragged = false;
    this.trail = this.tool === "pan" || this.fingers.size > 1 ? [] : [this.onMap(place)];
  }

  /** @param {PointerEvent} event */
  move(event) {
    const place = this.place(event);
    const before = this.fingers.get(event.pointerId);
    if (!before) return this.hover(this.drawing.shapes.at(...this.onMap(place)));
    if (Math.hypot(place[0] - (this.began?.[0] ?? 0), place[1] - (this.began?.[1] ?? 0)) > 4) this.dragged = true;
    if (this.fingers.size === 2) this.pinch(event.pointerId, place);
    else if (this.trail.length) {
      this.trail.push(this.onMap(place));
      this.refresh();
    } else if (this.dragged) this.pan(place[0] - before[0], place[1] - before[1]);
    if (this.dragged || this.trail.length) this.fingers.set(event.pointerId, place);
  }

  /**
   * @param {number} finger
   * @param {XY} place
   */
  pinch(finger, place) {
    const other = [...this.fingers].find(([id]) => id !== finger)?.[1] ?? place;
    const before = this.fingers.get(finger) ?? place;
    const apart = Math.hypot(before[0] - other[0], before[1] - other[1]) || 1;
    this.zoom(Math.hypot(place[0] - other[0], place[1] - other[1]) / apart, ...other);
    this.dragged = true;
  }

  /** @param {PointerEvent} event */
  lift(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    const { shapes } = this.drawing;
    const how = event.shiftKey ? "add" : "set";
    const [trail, dragged] = [this.trail, this.dragged];
    this.trail = [];
    if (dragged && trail.length > 1) {
      const last = trail[trail.length - 1];
      this.wishes.select(this.tool === "box" ? shapes.between(trail[0], last) : shapes.inside(trail), how);
    } else if (!dragged) {
      const unit = shapes.at(...this.onMap(this.place(event)));
      if (unit >= 0) this.cursor = unit;
      this.wishes.select(
        unit < 0 ? [] : this.whole ? this.territoryOf(unit) : [unit],
        event.shiftKey ? "toggle" : "set",
      );
    }
    this.refresh();
  }

  /**
   * @param {number} unit
   * @returns {number[]} all units of its territory
   */
  territoryOf(unit) {
    const { owner } = this.drawing;
    return this.drawing.shapes.where(() => true).filter((one) => owner[one] === owner[unit]);
  }

  /** @param {number} unit */
  hover(unit) {
    if (unit === this.hovered) return;
    this.hovered = unit;
    this.wishes.hover(unit);
    this.refresh();
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const { key } = event;
    const held = event.ctrlKey || event.metaKey;
    const plain = !held && !event.altKey;
    const letter = `${held ? "Ctrl+" : ""}${held && event.shiftKey ? "Shift+" : ""}${key.toLowerCase()}`;
    if (plain && this.wander(key, event.shiftKey)) event.preventDefault();
    else if (this.wishes.key(letter)) event.preventDefault();
  }

  /**
   * Move the cursor or the view, select what is under the cursor.
   * @param {string} key
   * @param {boolean} shift
   * @returns {boolean} whether the key was one of these
   */
  wander(key, shift) {
    const at = this.cursor < 0 ? this.middlemost() : this.cursor;
    const arrow = ARROWS[key];
    if (arrow) this.goTo(this.cursor < 0 ? at : this.drawing.shapes.next(at, ...arrow), shift);
    else if (key === "+" || key === "=") this.zoom(STEP);
    else if (key === "-") this.zoom(1 / STEP);
    else if (key === "0") this.fit();
    else if (key === " ") this.wishes.select([at], "toggle");
    else if (key === "Enter") this.wishes.select([at], "set");
    else if (key === "Escape") this.wishes.select([], "set");
    else if (key.toLowerCase() === "t") this.wishes.select(this.territoryOf(at), shift ? "add" : "set");
    else if (key.toLowerCase() === "n" || key.toLowerCase() === "p") this.leap(at, key.toLowerCase() === "n" ? 1 : -1);
    else return false;
    return true;
  }

  /** The unit nearest to the middle of the screen. */
  middlemost() {
    const [x, y] = this.onMap([this.frame.clientWidth / 2, this.frame.clientHeight / 2]);
    const { middles, count } = this.drawing.shapes;
    let [best, least] = [0, Infinity];
    for (let i = 0; i < count; i++) {
      const away = (middles[2 * i] - x) ** 2 + (middles[2 * i + 1] - y) ** 2;
      if (away < least) [best, least] = [i, away];
    }
    return best;
  }

  /**
   * Put the cursor on a unit, and keep it in sight.
   * @param {number} unit
   * @param {boolean} [extend] select it as well
   */
  goTo(unit, extend = false) {
    if (extend) this.wishes.select([this.cursor < 0 ? unit : this.cursor, unit], "add");
    this.cursor = unit;
    this.focused = true;
    const { middles } = this.drawing.shapes;
    const [x, y] = [this.view.k * middles[2 * unit] + this.view.x, this.view.k * middles[2 * unit + 1] + this.view.y];
    const { clientWidth: width, clientHeight: height } = this.frame;
    if (x < 40 || y < 40 || x > width - 40 || y > height - 40) this.pan(width / 2 - x, height / 2 - y);
    this.wishes.hover(unit);
    this.refresh();
  }

  /**
   * Put the cursor on the next territory.
   * @param {number} from
   * @param {number} by
   */
  leap(from, by) {
    const { owner, territories, shapes } = this.drawing;
    const many = territories.length;
    const start = owner[from] < many ? owner[from] : -by;
    for (let turn = 1; turn <= many; turn++) {
      const label = territories[(start + by * turn + many * turn) % many].label;
      const unit = label ? shapes.at(label[0], label[1]) : -1;
      if (unit >= 0) return this.goTo(unit);
    }
  }
}
