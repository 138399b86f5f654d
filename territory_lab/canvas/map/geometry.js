// Shapes as numbers: unpacking, what lies under a point, inside a lasso or a box, and which unit comes next.

/** @typedef {[number, number]} XY */
/** @typedef {DataView | ArrayBuffer} Bytes */
/** @typedef {{x: number, y: number, k: number}} View screen = k * map + (x, y) */

export const NOBODY = 65535;
export const OUTSIDE = 4294967295;

/**
 * Read bytes as numbers.
 * @template {Float32Array | Uint32Array | Uint16Array | Uint8Array} T
 * @param {Bytes} bytes
 * @param {new (buffer: ArrayBuffer) => T} Kind
 * @returns {T}
 */
export function numbers(bytes, Kind) {
  if (bytes instanceof ArrayBuffer) return new Kind(bytes);
  const { buffer, byteOffset, byteLength } = bytes;
  return new Kind(/** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength)));
}

/**
 * Whether a point lies in a ring, by the even-odd rule; `xy` holds x, y, x, y from index `from` to `to`, in points.
 * @param {ArrayLike<number>} xy
 * @param {number} from
 * @param {number} to
 * @param {number} x
 * @param {number} y
 * @returns {boolean}
 */
export function inRing(xy, from, to, x, y) {
  let inside = false;
  for (let i = from, j = to - 1; i < to; j = i++) {
    const yi = xy[2 * i + 1];
    const yj = xy[2 * j + 1];
    if (yi > y !== yj > y && x < ((xy[2 * j] - xy[2 * i]) * (y - yi)) / (yj - yi) + xy[2 * i]) inside = !inside;
  }
  return inside;
}

/** The shapes of all units, with boxes to find them by. */
export class Shapes {
  /**
   * @param {Float32Array} xy corners of all rings, one after the other
   * @param {Uint32Array} ringEnds where each ring ends, in points
   * @param {Uint32Array} ringUnits the unit of each ring
   * @param {Float32Array} middles a point inside each unit; not a number where it is not on the map
   */
  constructor(xy, ringEnds, ringUnits, middles) {
    this.xy = xy;
    this.ringEnds = ringEnds;
    this.ringUnits = ringUnits;
    this.middles = middles;
    this.count = middles.length / 2;
    this.boxes = new Float32Array(4 * ringUnits.length);
    for (let ring = 0, i = 0; ring < ringUnits.length; ring++) {
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (; i < ringEnds[ring]; i++) {
        box[0] = Math.min(box[0], xy[2 * i]);
        box[1] = Math.min(box[1], xy[2 * i + 1]);
        box[2] = Math.max(box[2], xy[2 * i]);
        box[3] = Math.max(box[3], xy[2 * i + 1]);
      }
      this.boxes.set(box, 4 * ring);
    }
  }

  /**
   * The unit under a point, or -1. A hole counts against its own unit, so that an enclave is found and not its host.
   * @param {number} x
   * @param {number} y
   * @returns {number}
   */
  at(x, y) {
    const { boxes, ringEnds, ringUnits, xy } = this;
    /** @type {Map<number, boolean>} */
    const inside = new Map();
    for (let ring = 0; ring < ringUnits.length; ring++) {
      const b = 4 * ring;
      if (x < boxes[b] || y < boxes[b + 1] || x > boxes[b + 2] || y > boxes[b + 3]) continue;
      if (!inRing(xy, ring ? ringEnds[ring - 1] : 0, ringEnds[ring], x, y)) continue;
      inside.set(ringUnits[ring], !inside.get(ringUnits[ring]));
    }
    for (const [unit, held] of inside) if (held) return unit;
    return -1;
  }

  /**
   * Units whose middle lies inside a lasso.
   * @param {XY[]} lasso
   * @returns {number[]}
   */
  inside(lasso) {
    const flat = lasso.flat();
    return this.where((x, y) => inRing(flat, 0, lasso.length, x, y));
  }

  /**
   * Units whose middle lies in the box between two corners.
   * @param {XY} a
   * @param {XY} b
   * @returns {number[]}
   */
  between(a, b) {
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
    return this.where((x, y) => x >= left && x <= right && y >= top && y <= bottom);
  }

  /**
   * @param {(x: number, y: number) => boolean} test
   * @returns {number[]}
   */
  where(test) {
    const found = [];
    for (let i = 0; i < this.count; i++) if (test(this.middles[2 * i], this.middles[2 * i + 1])) found.push(i);
    return found;
  }

  /**
   * The unit that comes next in a direction: near, and not far aside of it.
   * @param {number} from
   * @param {number} dx
   * @param {number} dy
   * @returns {number} `from` where there is none
   */
  next(from, dx, dy) {
    const [x, y] = [this.middles[2 * from], this.middles[2 * from + 1]];
    let [best, least] = [from, Infinity];
    for (let i = 0; i < this.count; i++) {
      const [across, down] = [this.middles[2 * i] - x, this.middles[2 * i + 1] - y];
      const ahead = across * dx + down * dy;
      const aside = Math.abs(across * dy - down * dx);
      if (ahead > 0 && ahead >= aside && ahead + 2 * aside < least) [best, least] = [i, ahead + 2 * aside];
    }
    return best;
  }
}
