// The keys of the annotate page. A letter key is identified by its letter. A digit key is also identified by its
// position, because some keyboard layouts need Shift for digits.

const ACTIONS = {
  watch_yes: ["watch", "yes"],
  watch_no: ["watch", "no"],
  watch_unsure: ["watch", "unsure"],
  skip: ["skip"],
  undo: ["undo"],
  keep: ["keep"],
  zoom: ["zoom"],
  last: ["last"],
  comment: ["comment"],
  progress: ["progress"],
  help: ["help"],
};
const FIXED_KEYS = { Backspace: ["undo"], Escape: ["leave"], "+": ["zoomBy", 1], "=": ["zoomBy", 1], "-": ["zoomBy", -1] };
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }; // directions in which the photo moves

// Returns the key of an event as the server stores it.
export function keyOf(event) {
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

// Returns the name that is shown for a key.
export function keyName(key) {
  if (key === " ") return "Space";
  return key.length === 1 ? key.toUpperCase() : key;
}

function isTyping(event) {
  const { target, key } = event;
  // Letters cannot be part of a number, so in a number field they are answers too.
  if (target.matches("input[type='number']")) return key.length > 1 || /[\d.,+-]/.test(key);
  return target.matches("input:not([type='range']), textarea, select");
}

function isOnControl(target) {
  if (target.id === "empty-again") return true; // it has the focus while there is no photo
  return target.matches("button:focus-visible, a:focus-visible, input[type='range']:focus-visible");
}

export class Keys {
  #actions = new Map();
  #scoreKeys;

  // bindings: {action: key} for every action; scoreKeys: {digit: score}.
  constructor(bindings, scoreKeys) {
    this.#scoreKeys = scoreKeys;
    this.bind(bindings);
  }

  // Uses other keys, and shows them on the page.
  bind(bindings) {
    this.bindings = bindings;
    this.#actions = new Map(Object.entries(FIXED_KEYS));
    for (const [action, key] of Object.entries(bindings)) this.#actions.set(key, ACTIONS[action]);
    for (const cap of document.querySelectorAll("[data-key-of]")) {
      cap.textContent = keyName(bindings[cap.dataset.keyOf]);
      cap.closest("[aria-keyshortcuts]")?.setAttribute("aria-keyshortcuts", cap.textContent);
    }
  }

  nameOf(action) {
    return keyName(this.bindings[action]);
  }

  // Returns [action, value], or null when the key has no action.
  actionOf(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
    if (isTyping(event)) return null;
    if (event.key in ARROWS) return event.target.matches("input") ? null : ["pan", ARROWS[event.key]];
    if (event.repeat) return null;
    // Enter and Space press the focused control.
    if ((event.key === "Enter" || event.key === " ") && isOnControl(event.target)) return null;
    const action = this.#actions.get(keyOf(event));
    if (action) return action;
    const digit = /^\d$/.test(event.key) ? event.key : event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
    if (digit === undefined || (event.shiftKey && digit !== event.key)) return null;
    return digit in this.#scoreKeys ? ["score", this.#scoreKeys[digit]] : ["digit", digit];
  }
}
