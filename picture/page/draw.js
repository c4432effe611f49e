// The picture: what lies behind the arrows, and the marks and words of the events.

const light = {
  back: "#fbfbfa", head: "#ffffff", ink: "#1d2126", soft: "#69727c", line: "#dcdfe3", faint: "#f0f1f2", accent: "#1f5fae",
  bad: "#b3261e", good: "#1d6b3f", mark: "rgba(255,226,120,.42)", halo: "rgba(251,251,250,.84)", cut: "#a2661c",
  terms: ["#2b66ab", "#9a6200", "#2a7a4b", "#86408f", "#17777f", "#5b5fb0"], onLeader: "#ffffff", tint: .15,
  messages: ["#33587f", "#7a3f86", "#12706f", "#6b5a12"],
};
const dark = {
  back: "#14171b", head: "#1b1f24", ink: "#e7eaee", soft: "#97a1ac", line: "#343a42", faint: "#20252b", accent: "#8ab8f5",
  bad: "#ff9a92", good: "#84d3a4", mark: "rgba(180,140,20,.34)", halo: "rgba(20,23,27,.82)", cut: "#e0a760",
  terms: ["#7fb0ec", "#dfae55", "#78c798", "#cf9ad8", "#6cc8cf", "#a9acec"], onLeader: "#14171b", tint: .2,
  messages: ["#9fc0e6", "#d3a6dd", "#7fcac8", "#d6c47a"],
};

const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const headHeight = 34, bandAt = 14, bandWidth = 22, wordsAt = bandAt + bandWidth + 9;

// view is which part of the rows is shown, and how. top is in rows, zoom in pixels per row, left in pixels.
const view = { top: 0, left: 0, zoom: 22, width: 0, height: 0, gutter: 86, lane: 160, selected: -1, past: false, colors: light, lanes: [], place: {} };
let pen; // the context of the canvas

// yOf is the height of a row on the canvas.
function yOf(row) {
  return headHeight + (rows.y[row] - view.top) * view.zoom;
}

// xOf is the left edge of a lane on the canvas.
function xOf(lane) {
  return view.gutter + view.place[lane] * view.lane - view.left;
}

// faded reports whether event i is not what the reader wants to see.
function faded(i) {
  return view.past && !(run.flags[i] & Past) && i !== view.selected && run.kind[i] !== Violation;
}

const patterns = new Map();

// hatch is a pattern of oblique lines.
function hatch(color, gap, thick) {
  const key = color + gap + thick;
  if (!patterns.has(key)) {
    const tile = new OffscreenCanvas(gap, gap), ink = tile.getContext("2d");
    ink.strokeStyle = color;
    ink.lineWidth = thick;
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
let style = ""; // the font in use

function setFont(size, bold) {
  const wanted = (bold ? "600 " : "") + (size || 12) + "px " + font;
  if (wanted !== style) pen.font = style = wanted;
}

// widthOf is the width of a text in the font in use.
function widthOf(words) {
  const key = style + words;
  if (widths.size > 20000) widths.clear();
  let width = widths.get(key);
  if (width === undefined) widths.set(key, width = pen.measureText(words).width);
  return width;
}

// fit shortens a text to a width.
function fit(words, width) {
  if (words.length > 160) words = words.slice(0, 160) + "…";
  const whole = widthOf(words);
  if (whole <= width) return words;
  const some = Math.floor(words.length * width / whole) - 1;
  return some < 3 ? "" : words.slice(0, some).trimEnd() + "…";
}

// draw draws the whole canvas. It draws rows only as far as they can be told apart.
function draw() {
  const colors = view.colors;
  pen.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  pen.globalAlpha = 1;
  pen.textBaseline = "middle";
  style = ""; // a canvas that was resized has lost its font
  pen.fillStyle = colors.back;
  pen.fillRect(0, 0, view.width, view.height);
  if (!rows.count) return drawHead();
  const first = Math.max(rowAt(view.top - 1) - 1, 0);
  const last = Math.min(rowAt(view.top + (view.height - headHeight) / view.zoom + 1) + 1, rows.count - 1);
  // Beyond mostRows, rows are less than a pixel apart: every step-th row stands for its neighbours.
  const mostRows = 1500, step = Math.max(1, Math.ceil((last - first) / mostRows));
  pen.save();
  pen.beginPath();
  pen.rect(view.gutter - 6, headHeight, view.width, view.height);
  pen.clip();
  for (const lane of view.lanes) drawBand(lane);
  drawLines(first, last, step);
  drawArrows(first, last, step);
  drawEvents(first, last, step);
  pen.restore();
  drawTimes(first, last);
  drawHead();
}

// stretches calls f with the top, the bottom and the position of each stretch of a list in view, but with at most one for
// each pixel.
function stretches(list, f) {
  const row = (k) => k < 0 ? headHeight - 1e3 : k >= list.length ? view.height + 1e3 : list[k] < 0 ? headHeight - 1e3 : yOf(rows.of[list[k]]);
  const topEvent = rows.event[rowAt(view.top - 1)];
  for (let k = Math.max(lastAt(list, topEvent), 0), y = row(k); k < list.length && y < view.height;) {
    let next = k + 1, bottom = row(next);
    if (bottom < y + 1 && next < list.length) { // skip what ends within the pixel
      next = Math.max(next, lastAt(list, rows.event[rowAt(view.top + (y + 1 - headHeight) / view.zoom)]));
      bottom = row(next);
      k = next - 1;
    }
    if (bottom > headHeight) f(Math.max(y, headHeight - 4), Math.min(bottom, view.height + 4), k, y);
    k = next;
    y = bottom;
  }
}

function drawBand(lane) {
  const x = xOf(lane) + bandAt, colors = view.colors;
  if (x > view.width || x + view.lane < view.gutter) return;
  pen.globalAlpha = 1;
  if (run.lanes[lane].client) {
    pen.fillStyle = colors.line;
    pen.fillRect(x + bandWidth / 2 - .5, headHeight, 1, view.height);
    return;
  }
  const links = run.links[lane];
  stretches(links.first, (top, bottom, k, start) => {
    if (!links.cut[k].length && !links.alone[k]) return;
    if (links.alone[k]) {
      pen.fillStyle = hatch(colors.line, 12, 2.5);
      pen.fillRect(x - bandAt + 2, top, view.lane - 6, bottom - top);
    }
    pen.fillStyle = hatch(colors.cut, 5, 1.4);
    pen.fillRect(x - 9, top, 6, bottom - top);
    const words = links.alone[k] ? "✂ cut off from all" : "✂ →" + links.cut[k].map(shortName).join(" →");
    setFont(11, true);
    if (bottom - top > 14) text(fit(words, view.lane - 50), x + bandWidth + 9, Math.max(start + 2, headHeight) + 8, colors.cut, 11, true);
  });
  stretches(run.bands[lane].first, (top, bottom, k, start) => drawRole(run.bands[lane], x, top, bottom, k, start));
}

// drawRole draws a stretch of one term and one role. The role is to be seen without colours: a follower is an outline, a
// candidate hatched, and a leader solid.
function drawRole(bands, x, top, bottom, k, start) {
  const colors = view.colors, role = bands.role[k], term = bands.term[k], height = bottom - top;
  const color = colors.terms[term % colors.terms.length];
  pen.globalAlpha = 1;
  if (!bands.up[k]) {
    if (k === 0 && bands.first.length > 1) return;
    pen.fillStyle = hatch(colors.soft, 4, .8);
    pen.fillRect(x + 5, top, bandWidth - 10, height);
    if (height > 40) text("crashed", x + bandWidth + 9, Math.max(start, headHeight) + 28, colors.soft, 11);
    return;
  }
  pen.globalAlpha = role === Leader ? 1 : role === Candidate ? .1 : colors.tint;
  pen.fillStyle = color;
  pen.fillRect(x, top, bandWidth, height);
  pen.globalAlpha = 1;
  if (role === Candidate) {
    pen.fillStyle = hatch(color, 6, 1.8);
    pen.fillRect(x, top, bandWidth, height);
  }
  pen.fillStyle = color;
  const edge = role === Candidate ? 2 : 1;
  pen.fillRect(x, top, edge, height);
  pen.fillRect(x + bandWidth - edge, top, edge, height);
  if (start >= headHeight && height > 2) pen.fillRect(x - 3, start - .75, bandWidth + 6, 1.5);
  if (height < 13 || !term) return;
  pen.textAlign = "center";
  for (let y = Math.max(start, headHeight) + 9; y < bottom - 3; y += 260) {
    if (role === Candidate) {
      pen.fillStyle = colors.back;
      pen.fillRect(x + 3, y - 7, bandWidth - 6, 14);
    }
    text(String(term), x + bandWidth / 2, y, role === Leader ? colors.onLeader : color, term > 99 ? 9 : 11.5, true);
  }
  pen.textAlign = "left";
}

// text writes words with their middle at y.
function text(words, x, y, color, size, bold) {
  setFont(size, bold);
  pen.fillStyle = color;
  pen.fillText(words, x, y);
}

// drawLines draws what concerns the whole run: steps of the test, the network, the violation, and the selected row.
function drawLines(first, last, step) {
  const colors = view.colors;
  if (view.selected >= 0) {
    const row = rows.of[view.selected], half = Math.max(Math.min(view.zoom / 2, 11), 2);
    pen.fillStyle = colors.mark;
    pen.fillRect(0, yOf(row) - half, view.width, 2 * half);
  }
  for (let row = first; row <= last; row++) {
    const i = rows.event[row], kind = run.kind[i], y = yOf(row);
    if (kind !== Step && kind !== Net && kind !== Violation && kind !== Link && !(kind === Note && run.lane[i] < 0)) continue;
    if (view.zoom < 3 && kind === Link) continue;
    pen.globalAlpha = faded(i) ? .3 : 1;
    pen.fillStyle = kind === Violation ? colors.bad : kind === Step ? colors.soft : colors.cut;
    const thick = kind === Violation ? 2.5 : kind === Step ? 1.25 : .75;
    if (kind !== Link) pen.fillRect(view.gutter, y - thick / 2, view.width, thick);
    if (view.zoom < 9) continue;
    const words = kind === Link ? linkWords(i, rows.size[row]) : kind === Step ? "▷ " + label(i) : label(i);
    const lane = kind === Violation && run.lane[i] >= 0 && run.lane[i] in view.place ? run.lane[i] : -1;
    setFont(12, true);
    const shown = fit(words, view.width - view.gutter - 40), width = widthOf(shown), start = view.gutter + 8;
    const x = lane < 0 ? start : Math.max(start, Math.min(xOf(lane) + wordsAt, view.width - 20 - width));
    pen.fillStyle = colors.back;
    pen.fillRect(x - 4, y - 9, width + 8, 18);
    text(shown, x, y, kind === Violation ? colors.bad : kind === Step ? colors.ink : colors.cut, 12, true);
  }
  pen.globalAlpha = 1;
}
