// Which key does what on the annotate page. Letters go by what is printed on them, digits also by
// their place, because some layouts want Shift for them.

const LETTERS = {
  w: ["watch", "yes"],
  n: ["watch", "no"],
  m: ["watch", "unsure"],
  u: ["undo"],
  Backspace: ["undo"],
  " ": ["skip"],
  Enter: ["keep"],
  Escape: ["keep"],
  "?": ["help"],
};

function isTyping(target) {
  return target.matches("input:not([type='range']), textarea, select");
}

function isOnControl(target) {
  if (target.closest("dialog:not([open])")) return false; // just closed; the focus leaves it a frame later
  return target.matches("button:focus-visible, a:focus-visible, input[type='range']:focus-visible");
}

// Returns [action, value], or null when the key is not the page's business.
export function actionOf(event, scoreKeys) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return null;
  if (isTyping(event.target)) return null;
  // Enter and Space press the control on which the keyboard's focus stands.
  if ((event.key === "Enter" || event.key === " ") && isOnControl(event.target)) return null;
  const letter = LETTERS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (letter) return letter;
  const digit = /^\d$/.test(event.key) ? event.key : event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
  if (digit === undefined || (event.shiftKey && digit !== event.key)) return null;
  return digit in scoreKeys ? ["score", scoreKeys[digit]] : ["digit", digit];
}
