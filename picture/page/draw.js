// The picture: what lies behind the arrows.

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const headHeight = 42, bandAt = 14, bandWidth = 22, wordsAt = bandAt + bandWidth + 9;

// view is which part of the rows is shown, and how. top is in rows, zoom in pixels per row, left in pixels; place is the
// position of each lane that is shown. scale is the size of texts; times is the width of the column of the times, and gutter
// that of all columns to the left of the lanes.
const view = { top: 0, left: 0, zoom: 22, width: 0, height: 0, scale: 1, times: 70, gutter: 86, lane: 160, selected: -1, past: false, lanes: [], place: {} };
const colors = {}; // the custom properties of the style sheet
let pen; // the context of the canvas

function readColors() {
  const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue("--" + name).trim();
  for (const name of ["back", "panel", "ink", "soft", "line", "faint", "accent", "bad", "good", "select", "cut"]) colors[name] = get(name);
  colors.terms = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((k) => get("t" + k));
  colors.messages = [0, 1, 2, 3].map((k) => get("m" + k));
  patterns.clear();
}

// yOf is the height of a row on the canvas, and heightOf that of an event, or NaN.
const yOf = (row) => headHeight + (rows.y[row] - view.top) * view.zoom;
const heightOf = (i) => i < 0 ? NaN : yOf(rows.of[i]);

// termColor tells ten successive terms apart.
const termColor = (term) => colors.terms[Math.abs(term % 10)];

// xOf is the left edge of a lane on the canvas.
const xOf = (lane) => view.gutter + view.place[lane] * view.lane - view.left;

// faded reports whether event i is not what the reader wants to see.
const faded = (i) => view.past && !(run.flags[i] & Past) && i !== view.selected && run.kind[i] !== Violation;

const patterns = new Map();

// hatch is a pattern of oblique lines.
function hatch(color, gap, thick) {
  const key = color + gap;
  if (!patterns.has(key)) {
    const tile = new OffscreenCanvas(gap, gap), ink = tile.getContext("2d");
    Object.assign(ink, { strokeStyle: color, lineWidth: thick });
    for (const x of [-gap, 0, gap]) {
      ink.moveTo(x - 1, gap + 1);
      ink.lineTo(x + gap + 1, -1);
    }
    ink.stroke();
    patterns.set(key, pen.createPattern(tile, "repeat"));
  }
  return patterns.get(key);
}

const widths = new Map();
let fontNow = "";

function setFont(size, bold) {
  const wanted = (bold ? "600 " : "") + size * view.scale + "px " + font;
  if (wanted !== fontNow) pen.font = fontNow = wanted;
}

// widthOf is the width of a text in the font in use.
function widthOf(words) {
  const key = fontNow + words;
  if (widths.size > 20000) widths.clear();
  if (!widths.has(key)) widths.set(key, pen.measureText(words).width);
  return widths.get(key);
}

// fit shortens a text to a width.
function fit(words, width) {
  if (words.length > 160) words = words.slice(0, 160) + "…";
  const whole = widthOf(words);
  if (whole <= width) return words;
  const some = Math.floor(words.length * width / whole) - 1;
  return some < 3 ? "" : words.slice(0, some).trimEnd() + "…";
}

// text writes words with their middle at y.
function text(words, x, y, color, size, bold) {
  setFont(size, bold);
  pen.fillStyle = color;
  pen.fillText(words, x, y);
}

// haloed writes words whose letters have an edge, which keeps lines away from them and covers little else.
function haloed(words, x, y, color, size, bold) {
  setFont(size, bold);
  Object.assign(pen, { lineJoin: "round", lineWidth: 5, strokeStyle: colors.back });
  pen.strokeText(words, x, y);
  text(words, x, y, color, size, bold);
}

// box fills a rectangle.
function box(color, x, y, width, height) {
  pen.fillStyle = color;
  pen.fillRect(x, y, width, height);
}

// within calls f while nothing is drawn to the left of x and above y.
function within(x, y, f) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, view.width, view.height);
  pen.clip();
  f();
  pen.restore();
  fontNow = "";
}

// draw draws the whole canvas. Beyond mostRows, every step-th row stands for its neighbours.
function draw() {
  pen.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  pen.globalAlpha = 1;
  pen.textBaseline = "middle";
  fontNow = "";
  box(colors.back, 0, 0, view.width, view.height);
  if (!rows.count) return drawHead();
  const mostRows = 1500, first = Math.max(rowAt(view.top - 1) - 1, 0);
  const last = Math.min(rowAt(view.top + (view.height - headHeight) / view.zoom + 1) + 1, rows.count - 1);
  const step = Math.max(1, Math.ceil((last - first) / mostRows));
  within(view.gutter - 6, headHeight, () => {
    view.lanes.forEach(drawBand);
    drawLines(first, last);
    view.lanes.forEach(drawCuts);
    drawArrows(first, last, step);
    drawEvents(first, last, step);
    drawCrosses();
  });
  drawMargin(first, last, step);
  drawHead();
}

// stretches calls f with the top, the bottom and the position of each stretch of a list in view, and with its true top. Of
// those within one pixel, it takes the last.
function stretches(list, f) {
  const row = (k) => k >= list.length ? view.height + 1e3 : list[k] < 0 ? headHeight - 1e3 : yOf(rows.of[list[k]]);
  let k = Math.max(lastAt(list, rows.event[rowAt(view.top - 1)]), 0);
  for (let y = row(k); k < list.length && y < view.height;) {
    let bottom = row(k + 1);
    if (bottom < y + 1 && k + 1 < list.length) {
      k = Math.max(k + 1, lastAt(list, rows.event[rowAt(view.top + (y + 1 - headHeight) / view.zoom)]));
      bottom = row(k + 1);
    }
    if (bottom > headHeight) f(Math.max(y, headHeight - 4), Math.min(bottom, view.height + 4), k, y);
    k++;
    y = bottom;
  }
}

function drawBand(lane) {
  const x = xOf(lane) + bandAt, links = run.links[lane], bands = run.bands[lane];
  if (x > view.width || x + view.lane < view.gutter) return;
  pen.globalAlpha = 1;
  if (run.lanes[lane].client) return box(colors.line, x + bandWidth / 2 - .5, headHeight, 1, view.height);
  stretches(links.first, (top, bottom, k) => {
    if (!links.cut[k].length && !links.alone[k]) return;
    if (links.alone[k]) box(hatch(colors.line, 12, 2.5), x - bandAt + 2, top, view.lane - 6, bottom - top);
    box(hatch(colors.cut, 5, 1.4), x - 9, top, 6, bottom - top);
  });
  stretches(bands.first, (top, bottom, k, start) => drawRole(bands, x, top, bottom, k, start));
}

// writeCut writes at height y which messages of a lane cannot pass in stretch k of its links.
function writeCut(lane, k, y) {
  const links = run.links[lane];
  if (k < 0 || !links.cut[k].length && !links.alone[k]) return;
  setFont(10.5, true);
  const words = fit(links.alone[k] ? "✂ cut off" : "✂ →" + links.cut[k].map(shortName).join(" →"), view.lane - (view.tight ? 10 : wordsAt - 6));
  haloed(words, xOf(lane) + view.lane - widthOf(words) - 6, y, colors.cut, 10.5, true);
}

// drawCuts writes where the links of a lane change, in the row of the change, where nothing else is written.
function drawCuts(lane) {
  stretches(run.links[lane].first, (top, bottom, k, start) => {
    if (bottom - start > 14 && start > headHeight + 6) writeCut(lane, k, start);
  });
}

// drawRole draws a stretch of one term and one role. The role is to be seen without colours: a follower is an outline, a
// candidate hatched, and a leader solid.
function drawRole(bands, x, top, bottom, k, start) {
  const role = bands.role[k], term = bands.term[k], height = bottom - top, color = termColor(term);
  if (!bands.up[k]) return k + term && box(hatch(colors.soft, 4, .8), x + 5, top, bandWidth - 10, height); // else it has not started yet
  pen.globalAlpha = role === Leader ? 1 : role === Candidate ? .1 : .17;
  box(color, x, top, bandWidth, height);
  pen.globalAlpha = 1;
  if (role === Candidate) box(hatch(color, 6, 1.8), x, top, bandWidth, height);
  const edge = role === Candidate ? 2 : 1;
  box(color, x, top, edge, height);
  box(color, x + bandWidth - edge, top, edge, height);
  if (start >= headHeight && height > 2) box(color, x - 3, start - .75, bandWidth + 6, 1.5);
  if (height < 13 || !term) return;
  pen.textAlign = "center";
  for (let y = Math.max(start, headHeight) + 9; y < bottom - 3; y += 260) {
    if (role === Candidate) box(colors.back, x + 3, y - 7, bandWidth - 6, 14);
    text(String(term), x + bandWidth / 2, y, role === Leader ? colors.back : color, term > 99 ? 9 : 11.5, true);
  }
  pen.textAlign = "left";
}

// drawLines draws what concerns the whole run: the selected row, folds, steps of the test, the network, and the violation, whose
// words stand above its line. Arrows are drawn over them.
function drawLines(first, last) {
  if (view.selected >= 0) drawSelection(view.gutter - 6);
  for (let row = first; row <= last; row++) {
    const i = rows.event[row], kind = run.kind[i], y = yOf(row), broken = kind === Violation;
    if (isFold(row)) {
      for (let x = view.gutter; x < view.width && view.zoom >= 3; x += 8) box(colors.line, x, y - .5, 3, 1);
    } else if (broken || run.lane[i] < 0) {
      pen.globalAlpha = broken ? 1 : .35;
      box(broken ? colors.bad : kind === Net ? colors.cut : colors.ink, view.gutter - 6, y - .5, view.width, broken ? 2.5 : 1);
      pen.globalAlpha = 1;
      if (!broken || view.zoom < 9) continue;
      setFont(12.5, true);
      const words = fit(brief(i), view.width - view.gutter - 20), x = run.lane[i] in view.place ? xOf(run.lane[i]) + wordsAt : 0;
      haloed(words, clamp(x, view.gutter + 6, view.width - widthOf(words) - 10), y - 11 * view.scale, colors.bad, 12.5, true);
    }
  }
}

// drawSelection marks the selected row from x on.
function drawSelection(x) {
  const half = clamp(view.zoom / 2, 2, 11);
  box(colors.select, x, heightOf(view.selected) - half, x ? view.width : view.gutter - 6, 2 * half);
}
