// Downloads of a chart: its picture as PNG and its numbers as CSV, made in the browser.
// A chart is in a .chart-frame with its title and a part [data-downloads], which is hidden until the chart is there.


const MARGIN = 16;
const LINE = 22;

/** Show the buttons of a chart that Bokeh has drawn. `view` draws it; `columns` are pairs of heading and column. */
export function offerChart(place, view, columns) {
  const frame = place.closest(".chart-frame");
  offer(frame, {
    png: () => pictureOf(frame, view.export("png", true).canvas),
    csv: columns && (() => table(columns.map(([heading]) => heading), rowsOf(view.model.document, columns))),
  });
}

/**
 * Show the buttons of all drawings of the server: SVG with a table behind it.
 *
 * A drawing of several SVG, such as one for each row of a table, is the part [data-pictured]. The table with the numbers
 * is the first one, or [data-numbers].
 */
export function offerDrawings() {
  for (const frame of document.querySelectorAll("[data-drawing]")) {
    const svg = frame.querySelector("svg"), part = frame.querySelector("[data-pictured]");
    const rows = (frame.querySelector("table[data-numbers]") ?? frame.querySelector("table"))?.rows;
    if (!svg || !rows) continue;
    offer(frame, {
      png: async () => pictureOf(frame, part ? await partOf(part) : await canvasOf(svg)),
      csv: () => {
        const [head, ...body] = Array.from(rows, (row) => Array.from(row.cells, (cell) => cell.textContent.trim()));
        return table(head, body);
      },
    });
  }
}

function offer(frame, makers) {
  const part = frame?.querySelector("[data-downloads]");
  if (!part) return;
  part.hidden = false;
  for (const button of part.querySelectorAll("[data-download]")) {
    const kind = button.dataset.download;
    button.onclick = async () => save(await makers[kind](), `${frame.dataset.name}.${kind}`);
  }
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has read the address when the click is over; later it would only take memory.
  setTimeout(() => URL.revokeObjectURL(link.href));
}

// --- CSV --------------------------------------------------------------------

function rowsOf(model, columns) {
  const source = model.get_model_by_name("table");
  const values = columns.map(([, column]) => Array.from(source.get_column(column)));
  return values[0].map((_, row) => values.map((column) => column[row]));
}

function table(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(cell).join(","));
  return new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
}

/** Return a cell. Names of files are untrusted, and a spreadsheet would run a text such as =1+1 (OWASP, CSV injection). */
function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "";
  const text = /^[\s"']*[=+\-@＝＋－＠]/.test(value) && !/^-?[\d.]+$/.test(value) ? `'${value}` : value;
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// --- PNG --------------------------------------------------------------------

/** Return a picture of the chart under its title, in the colours of the page. */
function pictureOf(frame, chart) {
  const style = getComputedStyle(frame), ratio = devicePixelRatio;
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  const font = `600 15px ${style.fontFamily}`;
  context.font = font;
  const width = chart.width / ratio;
  const lines = wrapped(context, frame.dataset.title, width);
  const top = MARGIN + lines.length * LINE + MARGIN / 2;
  canvas.width = chart.width + 2 * MARGIN * ratio;
  canvas.height = chart.height + (top + MARGIN) * ratio;
  context.scale(ratio, ratio);
  context.fillStyle = getComputedStyle(frame.closest(".card") ?? document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = font;
  context.fillStyle = style.color;
  lines.forEach((line, row) => context.fillText(line, MARGIN, MARGIN + row * LINE + 15));
  context.drawImage(chart, MARGIN, top, width, chart.height / ratio);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

// What the style sheet gives to a drawing. A picture of it has no style sheet, so a copy gets these itself.
const DRAWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity",
  "font-family", "font-size", "font-weight", "vector-effect", "shape-rendering", "overflow"];

/** Return a drawing of the server on a canvas. */
async function canvasOf(svg) {
  const { width, height } = svg.getBoundingClientRect(), ratio = devicePixelRatio;
  const left = Number.parseFloat(getComputedStyle(svg).paddingLeft) || 0;
  const copy = svg.cloneNode(true), originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, place) => {
    const style = getComputedStyle(originals[place]);
    for (const name of DRAWN) element.style.setProperty(name, style.getPropertyValue(name));
  });
  // Labels of the axis lie in the padding on the left. Without a style sheet a copy has no padding, so it is moved.
  const outer = document.createElementNS(svg.namespaceURI, "svg");
  outer.setAttribute("width", width);
  outer.setAttribute("height", height);
  copy.setAttribute("x", left);
  copy.setAttribute("width", width - left);
  copy.setAttribute("height", height);
  copy.setAttribute("overflow", "visible");
  copy.removeAttribute("class");
  outer.append(copy);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(outer))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Return texts and drawings of a part of the page on a canvas, each at its place; without photos. */
async function partOf(part) {
  const box = part.getBoundingClientRect(), ratio = devicePixelRatio;
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  canvas.width = box.width * ratio;
  canvas.height = box.height * ratio;
  context.scale(ratio, ratio);
  for (const svg of part.querySelectorAll("svg")) {
    const { left, top, width, height } = svg.getBoundingClientRect();
    context.drawImage(await canvasOf(svg), left - box.left, top - box.top, width, height);
  }
  context.textBaseline = "middle";
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest("svg, .visually-hidden")) continue;
    const style = getComputedStyle(text.parentElement);
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    for (const word of text.data.matchAll(/\S+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const place = range.getBoundingClientRect();
      if (place.width) context.fillText(word[0], place.left - box.left, place.top - box.top + place.height / 2);
    }
  }
  return canvas;
}
