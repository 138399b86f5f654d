// The map from plain data: no widget, no page, only a scene, a state, a view and a canvas to draw on.
import { NOBODY, numbers, OUTSIDE, Shapes } from "./geometry.js";

/** @typedef {import("./geometry.js").Bytes} Bytes */
/** @typedef {import("./geometry.js").View} View */
/**
 * @typedef {{name: string, title: string, share: boolean, values: Bytes, classes: Bytes, ramp: string[],
 *   legend: string[]}} Layer
 * @typedef {{ids: string[], names: string[], width: number, height: number, km: boolean, xy: Bytes, ring_ends: Bytes,
 *   ring_units: Bytes, edges: Bytes, edge_units: Bytes, edge_lines: Bytes, middles: Bytes, accounts: Bytes,
 *   frames: number[][], layers: Layer[], activities: {name: string, title: string, tolerance: number}[],
 *   tints: string[], rest: string, ink: string, border: string, cut: string}} Scene
 * @typedef {{id: string, tint: number, units: number, loads: number[], deviations: number[], mean_km: number | null,
 *   cut: number, label: number[] | null}} Territory
 * @typedef {{owner: Bytes, locked: Bytes, stray: Bytes, moved: Bytes, territories: Territory[], homes: number[][],
 *   touched: string[], undo: boolean, redo: boolean, said: string, broken: string[]}} State
 */

const LABEL = 12;
const FINE_LINES = 2.2; // times the whole map: from there on the units' own borders are drawn

/** A scene with its state, ready to be painted. */
export class Drawing {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    const middles = numbers(scene.middles, Float32Array);
    const rings = numbers(scene.ring_ends, Uint32Array);
    this.shapes = new Shapes(numbers(scene.xy, Float32Array), rings, numbers(scene.ring_units, Uint32Array), middles);
    this.edges = numbers(scene.edges, Float32Array);
    this.edgeUnits = numbers(scene.edge_units, Uint32Array);
    this.edgeLines = numbers(scene.edge_lines, Uint8Array);
    this.accounts = numbers(scene.accounts, Float32Array);
    this.values = scene.layers.map((layer) => numbers(layer.values, Float32Array));
    this.classes = scene.layers.map((layer) => numbers(layer.classes, Uint8Array));
    this.unitLines = this.lines(() => true);
    this.stateLines = this.lines((_, b, line) => line === 1 && b !== OUTSIDE);
    this.layer = "territory";
    /** @type {Territory[]} */
    this.territories = [];
    this.owner = new Uint16Array(middles.length / 2).fill(NOBODY);
    this.locked = this.stray = this.moved = new Uint8Array(this.owner.length);
    /** @type {number[][]} */
    this.homes = [];
  }

  /**
   * Take up what an edit changed.
   * @param {State} state
   */
  take(state) {
    this.owner = numbers(state.owner, Uint16Array);
    this.locked = numbers(state.locked, Uint8Array);
    this.stray = numbers(state.stray, Uint8Array);
    this.moved = numbers(state.moved, Uint8Array);
    this.territories = state.territories;
    this.homes = state.homes;
    this.borders = this.lines((a, b) => b === OUTSIDE || this.owner[a] !== this.owner[b]);
    this.breaks = this.outline((unit) => this.stray[unit] === 1);
    this.cut = this.area((unit) => this.stray[unit] === 1);
    this.held = this.area((unit) => this.locked[unit] === 1);
    this.colour(this.layer);
  }

  /**
   * Choose what the fills say.
   * @param {string} layer territory, change, or the name of one of the scene's
   */
  colour(layer) {
    this.layer = layer;
    /** @type {Map<string, number[]>} */
    const groups = new Map();
    for (let unit = 0; unit < this.owner.length; unit++) {
      const fill = this.fill(unit);
      const group = groups.get(fill);
      if (group) group.push(unit);
      else groups.set(fill, [unit]);
    }
    this.fills = [...groups].map(([fill, units]) => {
      const chosen = new Set(units);
      return { fill, path: this.area((unit) => chosen.has(unit)) };
    });
  }

  /**
   * @param {number} unit
   * @returns {string} its colour in the layer shown
   */
  fill(unit) {
    const { scene, layer } = this;
    const at = scene.layers.findIndex((one) => one.name === layer);
    if (at >= 0) return scene.layers[at].ramp[this.classes[at][unit]] ?? scene.rest;
    const own = this.territories[this.owner[unit]];
    return own && (layer === "territory" || this.moved[unit]) ? scene.tints[own.tint] : scene.rest;
  }

  /**
   * The area of some units as one path.
   * @param {(unit: number) => boolean} test
   * @returns {Path2D}
   */
  area(test) {
    const path = new Path2D();
    const { xy, ringEnds, ringUnits } = this.shapes;
    for (let ring = 0, i = 0; ring < ringUnits.length; ring++) {
      const end = ringEnds[ring];
      if (test(ringUnits[ring])) {
        path.moveTo(xy[2 * i], xy[2 * i + 1]);
        for (let j = i + 1; j < end; j++) path.lineTo(xy[2 * j], xy[2 * j + 1]);
        path.closePath();
      }
      i = end;
    }
    return path;
  }

  /**
   * The stretches of border that pass a test, as one path.
   * @param {(a: number, b: number, line: number) => boolean} test of the units on both sides, b may be OUTSIDE
   * @returns {Path2D}
   */
  lines(test) {
    const path = new Path2D();
    const { edges, edgeUnits, edgeLines } = this;
    let [x, y] = [NaN, NaN];
    for (let i = 0; i < edgeLines.length; i++) {
      if (!test(edgeUnits[2 * i], edgeUnits[2 * i + 1], edgeLines[i])) continue;
      if (edges[4 * i] !== x || edges[4 * i + 1] !== y) path.moveTo(edges[4 * i], edges[4 * i + 1]);
      [x, y] = [edges[4 * i + 2], edges[4 * i + 3]];
      path.lineTo(x, y);
    }
    return path;
  }

  /**
   * The outline of a set of units.
   * @param {(unit: number) => boolean} test
   * @returns {Path2D}
   */
  outline(test) {
    return this.lines((a, b) => test(a) !== (b !== OUTSIDE && test(b)));
  }

  /**
   * Paint fills, lines, marks and names.
   * @param {CanvasRenderingContext2D} context
   * @param {View} view in device pixels
   * @param {number} dot device pixels a CSS pixel
   * @param {number} whole the k at which the whole map fits
   * @param {string} hairline colour of the frames
   */
  paint(context, view, dot, whole, hairline) {
    const { scene } = this;
    const line = (
      /** @type {Path2D | undefined} */ path,
      /** @type {string} */ stroke,
      /** @type {number} */ width,
    ) => {
      context.strokeStyle = stroke;
      context.lineWidth = (width * dot) / view.k;
      if (path) context.stroke(path);
    };
    context.setTransform(view.k, 0, 0, view.k, view.x, view.y);
    context.lineJoin = "round";
    for (const { fill, path } of this.fills ?? []) {
      context.fillStyle = fill;
      context.fill(path, "evenodd");
    }
    if (view.k > FINE_LINES * whole) line(this.unitLines, "rgba(255,255,255,.55)", 0.5);
    line(this.stateLines, "#fefefe", 0.9);
    line(this.borders, scene.border, 1.1);
    this.hatch(context, this.held, scene.ink, view, dot);
    this.hatch(context, this.cut, scene.cut, view, dot);
    line(this.breaks, scene.cut, 1.8);
    context.strokeStyle = hairline;
    context.lineWidth = dot / view.k;
    for (const [x, y, width, height] of scene.frames) context.strokeRect(x, y, width, height);
  }

  /**
   * Hatch an area; the lines keep their distance on the screen.
   * @param {CanvasRenderingContext2D} context
   * @param {Path2D | undefined} path
   * @param {string} colour
   * @param {View} view
   * @param {number} dot
   */
  hatch(context, path, colour, view, dot) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 7;
    const pen = tile.getContext("2d");
    if (!pen || !path) return;
    pen.strokeStyle = colour;
    pen.globalAlpha = 0.4;
    pen.stroke(new Path2D("M-1 1L1 -1M0 7L7 0M6 8L8 6"));
    const pattern = context.createPattern(tile, "repeat");
    pattern?.setTransform(new DOMMatrix().scale(dot / view.k));
    context.fillStyle = pattern ?? colour;
    context.fill(path);
  }

  /**
   * Paint the accounts as dots.
   * @param {CanvasRenderingContext2D} context
   * @param {View} view in device pixels
   * @param {number} dot
   */
  paintAccounts(context, view, dot) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.scene.ink;
    context.globalAlpha = 0.5;
    const { width, height } = context.canvas;
    const size = 1.4 * dot;
    for (let i = 0; i < this.accounts.length; i += 2) {
      const x = view.k * this.accounts[i] + view.x;
      const y = view.k * this.accounts[i + 1] + view.y;
      if (x > 0 && y > 0 && x < width && y < height) context.fillRect(x, y, size, size);
    }
    context.globalAlpha = 1;
  }

  /**
   * Paint homes and names over all else; a name that has no room is left out, the largest territory's first.
   * @param {CanvasRenderingContext2D} context
   * @param {View} view in device pixels
   * @param {number} dot
   */
  paintNames(context, view, dot) {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.lineJoin = "round";
    context.strokeStyle = "#fefefe";
    context.fillStyle = this.scene.ink;
    const house = new Path2D("M-4.5 4.5V-1L0 -5.5L4.5 -1V4.5Z");
    const small = Math.min(1, 0.6 + (0.4 * context.canvas.width) / dot / 800) * dot;
    for (const [x, y] of this.homes) {
      context.setTransform(small, 0, 0, small, view.k * x + view.x, view.k * y + view.y);
      context.lineWidth = 1.6;
      context.stroke(house);
      context.fill(house);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.font = `600 ${LABEL * dot}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3 * dot;
    context.strokeStyle = "rgba(255,255,255,.75)";
    /** @type {number[][]} */
    const placed = this.homes.map(([x, y]) => [view.k * x + view.x, view.k * y + view.y, 9 * dot, 9 * dot]);
    const named = this.territories.filter((one) => one.label && this.layer !== "none");
    for (const { id, label } of named.sort((a, b) => (b.label?.[2] ?? 0) - (a.label?.[2] ?? 0))) {
      const [x, y0, room] = label ?? [0, 0, 0];
      const wide = context.measureText(id).width + 4 * dot;
      const tall = (LABEL + 3) * dot;
      if (wide > 4 * room * view.k) continue;
      const free = [0, 1, -1, 2, -2]
        .map((shift) => view.k * y0 + view.y + shift * tall)
        .find(
          (y) =>
            !placed.some(
              ([px, py, pw, ph]) =>
                Math.abs(px - view.k * x - view.x) < (pw + wide) / 2 && Math.abs(py - y) < (ph + tall) / 2,
            ),
        );
      if (free === undefined) continue;
      placed.push([view.k * x + view.x, free, wide, tall]);
      context.strokeText(id, view.k * x + view.x, free);
      context.fillText(id, view.k * x + view.x, free);
    }
  }
}
