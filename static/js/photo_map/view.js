// Draws the part of the map that is in view. Many points are single squares of pixels, fewer are discs, and when only
// some photos are in view, they are drawn themselves. So the time for a picture does not grow with the zoom.

import { SIDE } from "./points.js";

const DISCS = 4000; // up to so many points in view are discs
const PHOTOS = 60; // and up to so many are photos
const MOST_ZOOM = 400;

export class View {
  #pictures = new Map(); // id → Image
  #frame = 0;
  path = null; // the lasso, in places of the map
  chosen = null; // Set of points inside the lasso

  constructor(canvas, points, thumbnail) {
    Object.assign(this, { canvas, points, thumbnail });
    this.context = canvas.getContext("2d");
    this.centre = [SIDE / 2, SIDE / 2];
    this.zoom = 1;
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // CSS pixels for one place of the map.
  get scale() {
    return (Math.min(this.canvas.clientWidth, this.canvas.clientHeight) / (SIDE * 1.06)) * this.zoom;
  }

  toMap(x, y) {
    const { clientWidth, clientHeight } = this.canvas;
    return [(x - clientWidth / 2) / this.scale + this.centre[0], (y - clientHeight / 2) / this.scale + this.centre[1]];
  }

  toScreen(x, y) {
    const { clientWidth, clientHeight } = this.canvas;
    return [(x - this.centre[0]) * this.scale + clientWidth / 2, (y - this.centre[1]) * this.scale + clientHeight / 2];
  }

  pan(dx, dy) {
    const limit = (value) => Math.min(Math.max(value, 0), SIDE);
    this.centre = [limit(this.centre[0] - dx / this.scale), limit(this.centre[1] - dy / this.scale)];
    this.draw();
  }

  // Zooms around a point of the canvas.
  by(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const before = this.toMap(x, y);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    const after = this.toMap(x, y);
    this.centre = [this.centre[0] + before[0] - after[0], this.centre[1] + before[1] - after[1]];
    this.pan(0, 0);
  }

  all() {
    this.zoom = 1;
    this.centre = [SIDE / 2, SIDE / 2];
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const { canvas, points, context } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (!width || !height || !this.colours) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const [left, top] = this.toMap(0, 0);
    const [right, bottom] = this.toMap(canvas.clientWidth, canvas.clientHeight);
    const below = [];
    const above = []; // few points that others must not cover
    points.within(left, top, right, bottom, (i) => {
      if (points.x[i] >= left && points.x[i] <= right && points.y[i] >= top && points.y[i] <= bottom) (this.colours.isAbove(i) ? above : below).push(i);
    });
    const seen = below.concat(above);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (seen.length > DISCS) this.#squares(seen, width, height, ratio);
    else this.#discs(seen, ratio);
    this.#lasso(ratio);
    canvas.dataset.drawn = String(seen.length);
  }

  #isBright(i) {
    return this.chosen ? this.chosen.has(i) : this.points.match[i] === 1;
  }

  #squares(seen, width, height, ratio) {
    const picture = this.context.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const size = Math.max(Math.round(ratio * (seen.length > 50_000 ? 2 : 3)), 1);
    const scale = this.scale * ratio;
    const [dx, dy] = [width / 2 - this.centre[0] * scale, height / 2 - this.centre[1] * scale];
    const { x, y } = this.points;
    // Grey points first, so that they cover no others.
    for (const bright of [false, true]) {
      for (const i of seen) {
        if (this.#isBright(i) !== bright) continue;
        const colour = this.colours.packed(i, bright);
        const column = Math.round(x[i] * scale + dx);
        const row = Math.round(y[i] * scale + dy);
        const side = this.colours.isAbove(i) ? 3 * size : size;
        for (let v = Math.max(row, 0); v < Math.min(row + side, height); v++) {
          for (let u = Math.max(column, 0); u < Math.min(column + side, width); u++) pixels[v * width + u] = colour;
        }
      }
    }
    this.context.putImageData(picture, 0, 0);
  }

  #discs(seen, ratio) {
    const { context, points } = this;
    context.scale(ratio, ratio);
    const arePhotos = seen.length <= PHOTOS && this.zoom > 1;
    // On a large screen dots grow with the map, or they would be specks far apart.
    const side = Math.min(this.canvas.clientWidth, this.canvas.clientHeight);
    const radius = (seen.length > 1000 ? 3 : 4.5) * Math.max(side / 700, 1);
    for (const i of seen) {
      const [x, y] = this.toScreen(points.x[i], points.y[i]);
      context.fillStyle = this.colours.css(i, this.#isBright(i));
      const picture = arePhotos && this.#picture(i);
      if (picture?.complete && picture.naturalWidth) {
        const size = 64 / Math.max(picture.naturalWidth, picture.naturalHeight);
        const [w, h] = [picture.naturalWidth * size, picture.naturalHeight * size];
        context.fillRect(x - w / 2 - 3, y - h / 2 - 3, w + 6, h + 6);
        context.drawImage(picture, x - w / 2, y - h / 2, w, h);
      } else {
        context.beginPath();
        context.arc(x, y, this.colours.isAbove(i) ? 1.6 * radius : radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  #picture(i) {
    const id = this.points.id[i];
    if (!this.#pictures.has(id)) {
      if (this.#pictures.size > 600) this.#pictures.clear();
      const picture = new Image();
      picture.onload = () => this.draw();
      picture.src = this.thumbnail(id);
      this.#pictures.set(id, picture);
    }
    return this.#pictures.get(id);
  }

  #lasso(ratio) {
    if (!this.path?.length) return;
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.beginPath();
    for (const [x, y] of this.path) context.lineTo(...this.toScreen(x, y));
    context.closePath();
    context.strokeStyle = getComputedStyle(this.canvas).color;
    context.lineWidth = 2;
    context.setLineDash([6, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}
