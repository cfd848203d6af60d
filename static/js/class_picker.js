// A searchable list of ImageNet classes in place of a field with their numbers. The field is still what is sent.

import { gettext, ngettext } from "./texts.js";

const SHOWN = 60; // matches in the list

export function classPicker(root, names) {
  const field = document.getElementById(root.dataset.for);
  const chosen = () => field.value.split(/[\s,]+/).filter(Boolean).map(Number);
  const chips = document.createElement("ul");
  const search = document.createElement("input");
  const list = document.createElement("ul");
  const count = document.createElement("p");
  chips.className = "chips";
  chips.setAttribute("aria-label", gettext("Chosen classes"));
  search.type = "search";
  search.placeholder = gettext("Search 1,000 classes, for example clock");
  search.autocomplete = "off";
  list.className = "class-list";
  list.setAttribute("aria-label", gettext("Classes that match"));
  count.className = "small soft";
  count.setAttribute("role", "status");

  const set = (numbers) => {
    field.value = numbers.join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    draw();
  };

  function drawChips() {
    chips.replaceChildren(...chosen().map((number) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.textContent = `${names[number] ?? number} ×`;
      button.setAttribute("aria-label", gettext("Remove %(name)s", { name: names[number] ?? number }));
      button.addEventListener("click", () => { set(chosen().filter((one) => one !== number)); search.focus(); });
      line.append(button);
      return line;
    }));
  }

  function drawList() {
    const words = search.value.trim().toLowerCase();
    const has = new Set(chosen());
    const found = names.map((name, number) => ({ name, number }))
      .filter(({ name, number }) => !has.has(number) && words && (name.toLowerCase().includes(words) || String(number) === words));
    list.replaceChildren(...found.slice(0, SHOWN).map(({ name, number }) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => { set([...chosen(), number]); search.focus(); });
      line.append(button);
      return line;
    }));
    list.hidden = !found.length;
    count.textContent = !words ? gettext("%(size)s chosen", { size: has.size })
      : found.length > SHOWN ? gettext("%(shown)s of %(found)s matches: type more of the name", { shown: SHOWN, found: found.length })
        : ngettext("%(n)s match", "%(n)s matches", found.length);
  }

  function draw() { drawChips(); drawList(); }

  search.addEventListener("input", drawList);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // not the form
    list.querySelector("button")?.click();
  });
  root.append(chips, search, count, list);
  root.hidden = false;
  field.hidden = true; // it is sent all the same
  search.id = `${field.id}_search`;
  const label = document.querySelector(`label[for="${field.id}"]`);
  if (label) label.htmlFor = search.id;
  draw();
}
