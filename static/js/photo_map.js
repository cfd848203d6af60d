// The map of the photos: move, zoom, hover, open, and a lasso that becomes a filter of the grid.

import { menusClose } from "./gallery/menus.js";
import { Colours } from "./photo_map/colours.js";
import { cornersOf, pointsInside } from "./photo_map/lasso.js";
import { Points } from "./photo_map/points.js";
import { View } from "./photo_map/view.js";
import { gettext, ngettext } from "./texts.js";

const REACH = 12; // CSS pixels around the pointer
const UNKNOWN = 65535;
const canvas = document.querySelector("[data-map]");
const part = (name) => document.querySelector(`[data-map-${name}]`);
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];

menusClose();
if (canvas) begin();

async function begin() {
  const message = part("message");
  let points;
  try {
    const answer = await fetch(canvas.dataset.points);
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    points = new Points(await answer.arrayBuffer());
  } catch {
    message.textContent = gettext("The map could not be loaded. Load the page again.");
    return;
  }
  const matching = points.match.reduce((sum, one) => sum + one, 0);
  message.textContent = matching < points.count ? gettext("%(matching)s of %(count)s photos match the filters; the others are grey.", { matching: matching.toLocaleString("en"), count: points.count.toLocaleString("en") }) : "";
  const view = new View(canvas, points, (id) => canvas.dataset.thumbnail.replace("/0/", `/${id}/`));
  const chooser = document.querySelector("[data-colour]");
  const wished = location.hash.slice(1); // a link of another page names the colours
  if ([...chooser.options].some((one) => one.value === wished)) chooser.value = wished;
  const colour = () => {
    view.colours = new Colours(points, chooser.value);
    view.colours.legend(part("legend"));
    view.draw();
  };
  chooser.addEventListener("change", colour);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  new MutationObserver(colour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  colour();
  pointersRead(view, points);
  keysRead(view);
}

function keysRead(view) {
  const step = 80;
  const actions = {
    ArrowLeft: () => view.pan(step, 0),
    ArrowRight: () => view.pan(-step, 0),
    ArrowUp: () => view.pan(0, step),
    ArrowDown: () => view.pan(0, -step),
    "+": () => view.by(1.4),
    "-": () => view.by(1 / 1.4),
    0: () => view.all(),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
  const zooms = { in: "+", out: "-", all: 0 };
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", actions[zooms[button.dataset.zoom]]);
}

function pointersRead(view, points) {
  let mode = "pan";
  let moved = 0;
  let isLasso = false;
  const pointers = new Map();
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  for (const button of document.querySelectorAll("[data-mode]")) {
    button.addEventListener("click", () => {
      mode = button.dataset.mode;
      canvas.dataset.does = mode;
      for (const other of document.querySelectorAll("[data-mode]")) other.setAttribute("aria-pressed", String(other === button));
    });
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.by(Math.exp(-event.deltaY / 300), ...place(event));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, place(event));
    moved = 0;
    isLasso = pointers.size === 1 && (mode === "lasso" || event.shiftKey);
    canvas.setPointerCapture(event.pointerId);
    if (isLasso) {
      lassoClear(view);
      view.path = [view.toMap(...place(event))];
    }
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) return cardShow(view, points, here);
    pointers.set(event.pointerId, here);
    const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
    moved += Math.abs(dx) + Math.abs(dy);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const distance = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      view.by(distance(here) / distance(before), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
    } else if (isLasso) {
      view.path.push(view.toMap(...here));
      view.draw();
    } else {
      part("card").hidden = true;
      view.pan(dx, dy);
    }
  });
  const end = (event) => {
    if (!pointers.delete(event.pointerId) || event.type === "pointercancel") return;
    if (isLasso && view.path.length > 2 && moved > 10) lassoEnd(view, points);
    else if (moved < 6) {
      if (isLasso) lassoClear(view);
      const found = cardShow(view, points, place(event));
      if (found >= 0 && event.pointerType === "mouse") location.href = photoAddress(points.id[found]);
    }
    isLasso = false;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => !pointers.size && matchMedia("(hover: hover)").matches && (part("card").hidden = true));
  part("clear").addEventListener("click", () => lassoClear(view));
  part("show").addEventListener("click", () => lassoSend(view, points));
}

const photoAddress = (id) => {
  const query = canvas.dataset.query;
  return canvas.dataset.photo.replace("/0/", `/${id}/`) + (query ? `?${query}` : "");
};

// Shows the photo under the pointer; returns its point, or -1.
function cardShow(view, points, [x, y]) {
  const card = part("card");
  const found = points.nearest(...view.toMap(x, y), REACH / view.scale);
  card.hidden = found < 0;
  canvas.style.cursor = found < 0 ? "" : "pointer";
  if (found < 0) return found;
  const id = points.id[found];
  const picture = card.querySelector("img");
  const address = canvas.dataset.thumbnail.replace("/0/", `/${id}/`);
  if (picture.getAttribute("src") !== address) picture.src = address;
  part("link").href = photoAddress(id);
  const score = (value) => ((value - 100) / 100).toFixed(1);
  const words = [];
  if (points.quality[found] !== UNKNOWN) words.push(`○ ${score(points.quality[found])} ± ${score(points.deviation[found])}`);
  if (points.mos[found] !== UNKNOWN) words.push(`● ${score(points.mos[found])}`);
  words.push(ngettext("%(n)s vote", "%(n)s votes", points.votes[found]));
  part("facts").textContent = words.join(" · ");
  card.style.left = `${Math.min(Math.max(x + 14, 4), canvas.clientWidth - 205)}px`;
  card.style.top = `${Math.min(Math.max(y + 14, 4), canvas.clientHeight - 190)}px`;
  return found;
}

function lassoEnd(view, points) {
  view.corners = cornersOf(view.path);
  const inside = pointsInside(points, view.corners);
  view.chosen = new Set(inside);
  part("count").textContent = inside.length ? ngettext("%(n)s photo in the lasso", "%(n)s photos in the lasso", inside.length) : gettext("No photo in the lasso");
  part("show").hidden = !inside.length;
  part("found").hidden = false;
  part("card").hidden = true;
  view.draw();
}

function lassoClear(view) {
  view.path = view.chosen = null;
  part("found").hidden = true;
  view.draw();
}

async function lassoSend(view, points) {
  const body = new URLSearchParams({ corners: view.corners.join(","), fingerprint: points.fingerprint, query: canvas.dataset.query });
  let words = gettext("The selection could not be saved.");
  try {
    const answer = await fetch(canvas.dataset.selection, { method: "POST", body, headers: { "x-csrftoken": csrf() } });
    const found = await answer.json();
    if (answer.ok) {
      location.href = found.address;
      return;
    }
    words = found.detail;
  } catch {
    // said below
  }
  part("count").textContent = words;
}
