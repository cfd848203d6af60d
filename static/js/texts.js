// Texts in the language of the page. English texts stand in the modules; a script before them has those of other languages.

const catalog = globalThis.django;

// Returns a text in the language of the page. values: what replaces the names in it, as {name: value} for "%(name)s".
export const gettext = (text, values) => filled(catalog?.gettext?.(text) ?? text, values);

// The same with a number: `one` is the text for 1, `many` for other numbers. %(n)s is the number in both.
export const ngettext = (one, many, n, values) =>
  filled(catalog?.ngettext?.(one, many, n) ?? (n === 1 ? one : many), { n: n.toLocaleString("en"), ...values });

function filled(text, values) {
  return values ? text.replace(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole) : text;
}
