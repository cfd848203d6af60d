// A photo in a frame that can be zoomed up to several times its own pixels, and panned: by mouse, fingers and keys.

const MOST = 4; // pixels of the screen for one pixel of the photo

export class Zoomable {
  #scale = 1; // 1: fitted
  #x = 0; // translation in CSS pixels
  #y = 0;
  #pointers = new Map();
  #moved = 0;

  // `wheel`: whether the wheel zooms without Ctrl. `changed`: called when the zoom begins and ends.
  constructor(frame, photo, { wheel = false, changed = () => {} } = {}) {
    Object.assign(this, { frame, photo, changed });
    photo.draggable = false;
    frame.addEventListener("wheel", (event) => {
      if (!wheel && !event.ctrlKey) return;
      event.preventDefault();
      this.by(Math.exp(-event.deltaY / 300), event);
    }, { passive: false });
    frame.addEventListener("dblclick", (event) => this.toggle(event));
    frame.addEventListener("pointerdown", (event) => this.#down(event));
    frame.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
  }

  get isOn() {
    return this.#scale > 1;
  }

  // Whether the last press has moved the photo: then its click means nothing else.
  get hasMoved() {
    return this.#moved > 6;
  }

  get #full() {
    return Math.max(this.photo.naturalWidth / devicePixelRatio / (this.photo.offsetWidth || 1), 1);
  }

  fit() {
    this.#set(1, 0, 0);
  }

  // Fitted, or 100 % (twice the size for a small photo), around a point of the window.
  toggle(point = null) {
    if (this.isOn) this.fit();
    else this.by(Math.max(this.#full, 2), point);
  }

  by(factor, point = null) {
    const box = this.frame.getBoundingClientRect();
    const dx = (point?.clientX ?? box.left + box.width / 2) - (box.left + box.width / 2);
    const dy = (point?.clientY ?? box.top + box.height / 2) - (box.top + box.height / 2);
    const scale = Math.min(Math.max(this.#scale * factor, 1), Math.max(this.#full * MOST, 2));
    const ratio = scale / this.#scale;
    this.#set(scale, dx - (dx - this.#x) * ratio, dy - (dy - this.#y) * ratio);
  }

  pan(dx, dy) {
    this.#set(this.#scale, this.#x + dx, this.#y + dy);
  }

  #set(scale, x, y) {
    const wasOn = this.isOn;
    this.#scale = scale;
    const limit = (value, size, room) => {
      const most = Math.max((size * scale - room) / 2, 0);
      return Math.min(Math.max(value, -most), most);
    };
    this.#x = limit(x, this.photo.offsetWidth, this.frame.clientWidth);
    this.#y = limit(y, this.photo.offsetHeight, this.frame.clientHeight);
    this.photo.style.transform = scale === 1 ? "" : `translate(${this.#x}px, ${this.#y}px) scale(${scale})`;
    this.frame.toggleAttribute("data-zoomed", scale > 1);
    if (wasOn !== this.isOn) this.changed(this.isOn);
  }

  #down(event) {
    this.#moved = 0;
    this.#pointers.set(event.pointerId, event);
    if (this.isOn || this.#pointers.size > 1) this.frame.setPointerCapture?.(event.pointerId);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.#pointers.values()].filter((one) => one.pointerId !== event.pointerId);
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.#moved += Math.abs(dx) + Math.abs(dy);
    if (others.length) {
      const [other] = others;
      const distance = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
      this.by(distance(event) / distance(before), middle);
    } else if (this.isOn) this.pan(dx, dy);
    this.#pointers.set(event.pointerId, event);
  }
}
