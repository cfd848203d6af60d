// The points of the map as typed arrays, and which of them are near a place.

const TYPES = { float64: Float64Array, uint16: Uint16Array, uint8: Uint8Array };
export const SIDE = 65536; // places are whole numbers below this
const CELLS = 256; // cells of the index in each direction

export class Points {
  // `buffer`: the length of a JSON text (4 bytes), the text, and the columns that it describes.
  constructor(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    this.scale = about.scale;
    this.fingerprint = about.fingerprint;
    for (const { name, type, at, length: count } of about.columns) this[name] = new TYPES[type](buffer, 4 + length + at, count);
    this.count = this.id.length;
    this.#index();
  }

  // A counting sort of the points by their cell: the points of one cell are together in `order`.
  #index() {
    const starts = (this.starts = new Uint32Array(CELLS * CELLS + 1));
    const cells = new Uint16Array(this.count);
    for (let i = 0; i < this.count; i++) {
      cells[i] = (this.y[i] >> 8) * CELLS + (this.x[i] >> 8);
      starts[cells[i] + 1]++;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell++) starts[cell + 1] += starts[cell];
    const next = starts.slice();
    this.order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) this.order[next[cells[i]]++] = i;
  }

  // Calls `visit(i)` for each point of the cells that the box touches.
  within(left, top, right, bottom, visit) {
    const cell = (value) => Math.min(Math.max(Math.floor(value / (SIDE / CELLS)), 0), CELLS - 1);
    if (right < 0 || bottom < 0 || left >= SIDE || top >= SIDE) return;
    for (let row = cell(top); row <= cell(bottom); row++) {
      const from = this.starts[row * CELLS + cell(left)];
      const to = this.starts[row * CELLS + cell(right) + 1];
      for (let place = from; place < to; place++) visit(this.order[place]);
    }
  }

  // The nearest point within a distance, or -1.
  nearest(x, y, distance) {
    let found = -1;
    let least = distance * distance;
    this.within(x - distance, y - distance, x + distance, y + distance, (i) => {
      const apart = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (apart > least || !this.match[i]) return;
      least = apart;
      found = i;
    });
    return found;
  }
}
