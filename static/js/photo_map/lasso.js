// Which points lie inside a polygon, by the even-odd rule on whole numbers. The server finds the same ones
// (inference/projection/layout.py).

const MOST_CORNERS = 300;

// Corners as whole numbers [x, y, …], at most MOST_CORNERS of them.
export function cornersOf(path) {
  const every = Math.ceil(path.length / MOST_CORNERS);
  return path.filter((_, place) => place % every === 0).flatMap(([x, y]) => [Math.round(x), Math.round(y)]);
}

export function pointsInside(points, corners) {
  const found = [];
  const xs = corners.filter((_, i) => i % 2 === 0);
  const ys = corners.filter((_, i) => i % 2 === 1);
  points.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i) => {
    if (points.match[i] && isInside(points.x[i], points.y[i], xs, ys)) found.push(i);
  });
  return found;
}

function isInside(x, y, xs, ys) {
  let inside = false;
  for (let i = 0; i < xs.length; i++) {
    const j = (i + xs.length - 1) % xs.length;
    if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
  }
  return inside;
}
