// Dialogs that ask, instead of the browser's confirm() and prompt(). They show who asks and what will happen, keep the
// focus, and close with Escape, which means no.
//
//   if (await confirmed("Delete this tag?", { action: "Delete", danger: true })) …
//   const reason = await answered("Why?", { label: "Reason", action: "Promote" }); // null: cancelled
//
// Without a script of its own, a page asks with attributes: hx-confirm on an htmx element, or data-confirm on a form
// or on one of its buttons. The button says what it does: data-confirm-action, or its own words without a number.
// data-confirm-danger marks what cannot be undone; so does the class danger on the button.

import { gettext } from "./texts.js";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// The first sentence is the title; the rest is the text.
function partsOf(question) {
  const [, title, text] = question.trim().match(/^(.+?[?!.])(?:\s+([\s\S]*))?$/) ?? [null, question.trim(), ""];
  return [title, text ?? ""];
}

function ask(question, { text = null, action = "OK", cancel = gettext("Cancel"), danger = false, field = null } = {}) {
  const [title, rest] = text === null ? partsOf(question) : [question, text];
  const heading = element("h2", { id: "ask-title" }, title);
  const words = element("p", { id: "ask-text" }, rest);
  words.hidden = !rest;
  const yes = element("button", { value: "yes", class: `primary${danger ? " danger" : ""}` }, action);
  const no = element("button", { value: "", type: "button" }, cancel);
  const form = element("form", { method: "dialog" }, heading, words);
  if (field) form.append(element("div", { class: "field" }, field.label, field.input));
  form.append(element("div", { class: "row" }, no, yes));
  const dialog = element("dialog", {
    class: "ask", "aria-labelledby": "ask-title", "aria-describedby": rest ? "ask-text" : null, role: "alertdialog",
  }, form);
  const before = document.activeElement;
  no.addEventListener("click", () => dialog.close(""));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(""); }); // the backdrop
  for (const name of ["keydown", "keyup"]) dialog.addEventListener(name, (event) => event.stopPropagation()); // not keys of the page
  document.body.append(dialog);
  dialog.showModal();
  // What cannot be undone is not one press of Enter away.
  (field?.input ?? (danger ? no : yes)).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const isYes = dialog.returnValue === "yes";
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(isYes);
    });
  });
}

/** Ask a question that is answered with yes or no. Returns a promise of a boolean. */
export function confirmed(question, options = {}) {
  return ask(question, options);
}

/** Ask for a text. Returns a promise of the text, or of null when the person cancels. */
export async function answered(question, { label = gettext("Answer"), value = "", required = true, ...options } = {}) {
  const input = element("input", { id: "ask-field", type: "text", maxlength: "300", required, value });
  const isYes = await ask(question, { ...options, field: { label: element("label", { for: "ask-field" }, label), input } });
  return isYes ? input.value.trim() : null;
}

// What the button of an element's dialog says, and whether it is dangerous.
function optionsOf(button, source) {
  const { confirmAction, confirmDanger } = { ...source.dataset, ...button?.dataset };
  const words = (button?.dataset.confirmAction ?? confirmAction ?? button?.firstChild?.textContent ?? "").trim();
  return {
    action: words || "OK",
    danger: confirmDanger !== undefined || Boolean(button?.classList.contains("danger")),
  };
}

document.addEventListener("htmx:confirm", async (event) => {
  const { question, elt, issueRequest } = event.detail;
  if (!question) return;
  event.preventDefault();
  if (await confirmed(question, optionsOf(elt, elt))) issueRequest(true);
});

const allowed = new WeakSet();
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (!question || allowed.delete(form)) return;
  event.preventDefault();
  event.stopPropagation();
  if (!await confirmed(question, optionsOf(button, form))) return;
  allowed.add(form);
  form.requestSubmit(button);
}, true);
