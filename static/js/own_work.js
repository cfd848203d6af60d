// The page "Your work" and the page of one answer: keys, and filters without empty parts in the address.
// htmx replaces the list and its rows (templates/annotation/_own_*.html).

const WATCH = { watch_yes: "yes", watch_no: "no", watch_unsure: "unsure" };
const keys = JSON.parse(document.getElementById("key-bindings").textContent);
const filters = document.querySelector(".own-filters");

// --- Filters ----------------------------------------------------------------------------------------

if (filters) {
  const isFiltered = document.getElementById("history-part").dataset.filtered === "yes";
  const fold = filters.closest("details"); // closed on phones; until here, the style sheet hides what is in it
  if (matchMedia("(max-width: 600px)").matches && !isFiltered) fold.open = false;
  fold.dataset.ready = "";
  document.body.addEventListener("htmx:configRequest", ({ target, detail }) => {
    if (target !== filters) return;
    const { formData } = detail;
    for (const [name, value] of [...formData.entries()]) if (value === "") formData.delete(name);
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    const isFiltered = document.getElementById("history-part")?.dataset.filtered === "yes";
    document.getElementById("filter-clear").hidden = !isFiltered;
  });
  addEventListener("popstate", () => location.reload()); // the fields have the values of another address
}

// --- Focus ------------------------------------------------------------------------------------------

// A row that was replaced has lost the focus.
document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
  const row = document.getElementById(detail.target.id);
  if (!row?.matches(".own-history li")) return;
  const target = row.querySelector("[data-answer-form] input:checked, [data-answer-form] input:not([type='hidden']), [data-undo], .edit, [data-cancel]");
  target?.focus({ preventScroll: row.getBoundingClientRect().top >= 0 });
});

function move(step) {
  const edits = [...document.querySelectorAll(".own-history .edit")];
  const row = document.activeElement?.closest?.(".own-history li");
  const place = row ? edits.findIndex((edit) => row.contains(edit)) : -1;
  const next = edits[place + step] ?? (place < 0 ? edits[0] : null);
  next?.focus();
  next?.closest("li").scrollIntoView({ block: "nearest" });
  return Boolean(next);
}

// --- Keys -------------------------------------------------------------------------------------------

const isTyping = (target) => target.matches("textarea, select, input:not([type='radio'], [type='checkbox'])");

// Returns the form that keys answer: the one with the focus, or the only one.
function formOf(target) {
  const forms = [...document.querySelectorAll("[data-answer-form]")];
  return target.closest?.("[data-answer-form]") ?? (forms.length === 1 ? forms[0] : null);
}

function check(form, name, value) {
  const option = form.querySelector(`input[name="${name}"][value="${CSS.escape(value)}"]`);
  if (!option) return false;
  option.checked = true;
  option.focus();
  return true;
}

function choose(form, event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  for (const [action, value] of Object.entries(WATCH)) if (keys[action] === key) return check(form, "watch", value);
  if (!/^\d$/.test(key)) return false;
  return check(form, "score", key) || (key === "0" && check(form, "score", "10"));
}

// Returns whether the key did something.
function act(event) {
  const { target, key } = event;
  const form = formOf(target);
  if (key === "Escape") {
    const cancel = form?.querySelector("[data-cancel]") ?? document.querySelector(".own-history [data-cancel]");
    cancel?.click();
    return Boolean(cancel);
  }
  if (isTyping(target)) return false;
  if (form) {
    if (key === "Enter" && !target.matches("a, button")) {
      form.requestSubmit();
      return true;
    }
    return choose(form, event);
  }
  if (key === "ArrowDown" || key === "ArrowUp") return filters !== null && move(key === "ArrowDown" ? 1 : -1);
  const row = target.closest?.(".own-history li");
  const button = { e: row?.querySelector(".edit"), [keys.undo]: row?.querySelector("[data-undo]") }[key.toLowerCase()];
  button?.click();
  return Boolean(button);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key === "Enter") return;
  if (act(event)) event.preventDefault();
});
