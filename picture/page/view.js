// Moving about: scrolling, zooming, selecting.

// picture is for tests: costs is what the last frames have cost, in milliseconds, and ready when the page could be used.
const picture = window.picture = { costs: [], select, get selected() { return view.selected; }, view, rows, run, whereIs: (i) => whereIs(i) };

const $ = (id) => document.getElementById(id);
const clamp = (x, low, high) => Math.max(low, Math.min(x, Math.max(low, high)));
const narrow = () => innerWidth <= 820;
let waiting = false; // a frame is on its way

// refresh draws the picture before the next frame.
function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    const begun = performance.now();
    waiting = false;
    draw();
    placeWindow();
    if (picture.costs.push(performance.now() - begun) > 1000) picture.costs.shift();
  });
}

// resize fits the canvas into its place, and the lanes into the canvas.
function resize() {
  const canvas = $("picture"), ratio = devicePixelRatio || 1;
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 14, times = (narrow() ? 62 : 78) * scale;
  view.zoom *= scale / view.scale;
  Object.assign(view, { ratio, scale, times, width: $("stage").clientWidth - $("map").clientWidth, height: $("stage").clientHeight });
  Object.assign(canvas.style, { width: view.width + "px", height: view.height + "px" });
  Object.assign(canvas, { width: Math.round(view.width * ratio), height: Math.round(view.height * ratio) });
  placeLanes();
  move(0, 0);
  drawMap();
}

// placeLanes gives each lane that is shown a place, from left to right. Many lanes may be close together.
function placeLanes() {
  view.lanes = run.lanes.map((_, lane) => lane).filter((lane) => !filter.lanes.has(lane));
  view.place = Object.fromEntries(view.lanes.map((lane, k) => [lane, k]));
  const many = view.lanes.length > 6 && !narrow();
  view.gutter = view.times + (narrow() ? 66 : view.past || many ? 128 : 160) * view.scale;
  view.lane = Math.max((view.width - view.gutter) / Math.max(view.lanes.length, 1), many ? 64 : narrow() ? 84 : 100);
  view.tight = view.lane < 84;
}

// move scrolls by pixels.
function move(dx, dy) {
  const shown = (view.height - headHeight) / view.zoom;
  view.left = clamp(view.left + dx, 0, view.lanes.length * view.lane + view.gutter - view.width);
  view.top = clamp(view.top + dy / view.zoom, -1, rows.total + 1.5 - shown);
  refresh();
}

// zoom changes the distance of rows; what is at height y stays there.
function zoom(factor, y) {
  const at = view.top + (y - headHeight) / view.zoom, least = Math.min((view.height - headHeight) / (rows.total + 3), 22);
  view.zoom = clamp(view.zoom * factor, least, 90);
  view.top = at - (y - headHeight) / view.zoom;
  move(0, 0);
}

// show scrolls to a row unless it is in sight. With below, the row is put below the middle, since its causes are above it.
function show(row, below) {
  const y = yOf(row), lane = run.lane[rows.event[row]], shown = (view.height - headHeight) / view.zoom;
  if (below || y < headHeight + 40 || y > view.height - 40) view.top = rows.y[row] - shown * (below ? .62 : .5);
  if (lane in view.place) {
    const x = xOf(lane);
    if (x < view.gutter) view.left += x - view.gutter;
    else if (x + view.lane > view.width) view.left += Math.min(x + view.lane - view.width, x - view.gutter);
  }
  move(0, 0);
}

// select selects an event, unfolds it, and shows it. With keep, it leaves folded events folded.
function select(i, keep, below) {
  if (!(i >= 0 && i < run.n)) i = -1;
  if (i >= 0 && folded(i) && !keep && !rows.hidden[i]) {
    unfold(rows.of[i]);
    drawMap();
  }
  view.selected = i;
  if (i >= 0 && rows.count) show(rows.of[i], below);
  history.replaceState(null, "", i >= 0 ? "#e" + i : location.pathname + location.search);
  showEvent();
  refresh();
}

// step selects the next or the previous row, of one lane if that is given.
function step(by, lane) {
  let row = view.selected < 0 ? rowAt(view.top) : rows.of[view.selected];
  do row += by; while (row >= 0 && row < rows.count && lane >= 0 && (run.lane[rows.event[row]] !== lane || isFold(row)));
  if (row >= 0 && row < rows.count) select(rows.event[row], true);
}

// whereIs is the place of an event on the canvas.
const whereIs = (i) => ({ x: run.lane[i] in view.place ? xOf(run.lane[i]) + bandAt + bandWidth / 2 : view.gutter / 2, y: heightOf(i) });

// hit is the event at a place of the canvas, or -1: the one with a mark there, before one with a line, before the row's.
function hit(x, y) {
  if (y < headHeight || !rows.count) return -1;
  const at = view.top + (y - headHeight) / view.zoom, above = rowAt(at), below = Math.min(above + 1, rows.count - 1);
  const row = rows.y[below] - at < at - rows.y[above] ? below : above, i = rows.event[row];
  const near = Math.abs(yOf(row) - y) <= Math.max(view.zoom / 2, 5), fromLane = x - (run.lane[i] in view.place ? xOf(run.lane[i]) : 0);
  if (near && (fromLane >= 0 && fromLane < bandAt + bandWidth + 4 || x < view.gutter)) return i;
  let best = near ? i : -1, least = 6;
  for (const [x1, y1, x2, y2, event] of drawn) {
    const part = clamp(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2 || 1), 0, 1);
    const distance = Math.hypot(x - x1 - part * (x2 - x1), y - y1 - part * (y2 - y1));
    if (distance < least) [least, best] = [distance, event];
  }
  return best;
}

// listen makes the canvas react to the wheel, the mouse and fingers.
function listen(canvas) {
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    const unit = e.deltaMode === 1 ? 20 : e.deltaMode === 2 ? view.height : 1;
    if (e.ctrlKey || e.metaKey) zoom(Math.exp(-e.deltaY * unit / 300), e.offsetY);
    else if (e.shiftKey) move((e.deltaX || e.deltaY) * unit, 0);
    else move(e.deltaX * unit, e.deltaY * unit);
  }, { passive: false });
  canvas.onpointerdown = (e) => {
    canvas.setPointerCapture(e.pointerId);
    if (!fingers.size) moved = 0;
    fingers.set(e.pointerId, { x: e.offsetX, y: e.offsetY });
  };
  canvas.onpointermove = (e) => {
    const was = fingers.get(e.pointerId), now = { x: e.offsetX, y: e.offsetY };
    canvas.style.cursor = was ? "grabbing" : hit(now.x, now.y) >= 0 ? "pointer" : "grab";
    if (!was) return;
    moved += Math.hypot(now.x - was.x, now.y - was.y);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== e.pointerId)[1], apart = (at) => Math.hypot(at.x - other.x, at.y - other.y);
      zoom(apart(now) / Math.max(apart(was), 1), (now.y + other.y) / 2);
    }
    if (moved > 4) move((was.x - now.x) / fingers.size, (was.y - now.y) / fingers.size);
    fingers.set(e.pointerId, now);
  };
  canvas.onpointerup = canvas.onpointercancel = (e) => {
    if (!fingers.delete(e.pointerId) || e.type !== "pointerup" || moved > 4 || fingers.size) return;
    const i = hit(e.offsetX, e.offsetY);
    if (i >= 0) select(i);
  };
}

// keys are the keys that work unless the focus is in a field.
const keys = {
  ArrowDown: () => move(0, 60), ArrowUp: () => move(0, -60), ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0),
  PageDown: () => move(0, view.height * .85), PageUp: () => move(0, -view.height * .85),
  Home: () => move(0, -1e12), End: () => move(0, 1e12),
  "+": () => zoom(1.25, view.height / 2), "=": () => zoom(1.25, view.height / 2), "-": () => zoom(.8, view.height / 2),
  j: () => step(1), k: () => step(-1), n: () => step(1, run.lane[view.selected]), p: () => step(-1, run.lane[view.selected]),
  v: () => select(run.violation >= 0 ? run.violation : run.open, false, true),
  "/": () => $("search").focus(), "?": () => $("help").showModal(),
  Enter: () => select(view.selected), Escape: () => select(-1),
};

function onKey(e) {
  const inField = e.target.closest("input:not([type=checkbox]), dialog"), inPanel = e.target.closest("#panel, summary, button, a");
  if (e.key === "Escape" && (inField || $("filter").open)) {
    $("filter").open = false;
    return $("picture").focus();
  }
  const inner = inPanel && /^(Arrow|Page|Home|End|Enter)/.test(e.key);
  if (inField || inner || e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
  e.preventDefault();
  keys[e.key]();
}
