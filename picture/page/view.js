// Moving about: scrolling, zooming, selecting.

let waiting = false; // a frame is on its way
const picture = { costs: [], select, get selected() { return view.selected; }, view, rows, run, whereIs };
window.picture = picture; // for tests: costs is what each frame has cost, in milliseconds

const $ = (id) => document.getElementById(id);

// refresh draws the picture before the next frame.
function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const begun = performance.now();
    draw();
    placeWindow();
    if (picture.costs.push(performance.now() - begun) > 1000) picture.costs.shift();
  });
}

// resize fits the canvas into its place, and the lanes into the canvas.
function resize() {
  const canvas = $("picture"), narrow = innerWidth <= 820;
  view.ratio = devicePixelRatio || 1;
  view.width = $("stage").clientWidth - $("map").clientWidth;
  view.height = $("stage").clientHeight;
  canvas.style.width = view.width + "px";
  canvas.style.height = view.height + "px";
  canvas.width = Math.round(view.width * view.ratio);
  canvas.height = Math.round(view.height * view.ratio);
  view.gutter = narrow ? 76 : 90;
  placeLanes();
  move(0, 0);
  drawMap();
}

// placeLanes gives each lane that is shown a place, from left to right.
function placeLanes() {
  view.lanes = run.lanes.map((_, lane) => lane).filter((lane) => !filter.lanes.has(lane));
  view.place = {};
  view.lanes.forEach((lane, k) => { view.place[lane] = k; });
  const room = view.width - view.gutter;
  view.lane = Math.max(room / Math.max(view.lanes.length, 1), innerWidth <= 820 ? 104 : 128);
}

function clamp(x, low, high) {
  return Math.max(low, Math.min(x, Math.max(low, high)));
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
  const at = view.top + (y - headHeight) / view.zoom;
  const least = Math.min((view.height - headHeight) / (rows.total + 3), 22);
  view.zoom = clamp(view.zoom * factor, least, 90);
  view.top = at - (y - headHeight) / view.zoom;
  move(0, 0);
}

// show scrolls to a row unless it is well in sight.
function show(row, always) {
  const y = yOf(row);
  if (always || y < headHeight + 40 || y > view.height - 40) view.top = rows.y[row] - (view.height - headHeight) * (always ? .62 : .5) / view.zoom;
  const lane = run.lane[rows.event[row]];
  if (lane in view.place) {
    const x = xOf(lane);
    if (x < view.gutter) view.left += x - view.gutter;
    if (x + view.lane > view.width) view.left += Math.min(x + view.lane - view.width, x - view.gutter);
  }
  move(0, 0);
}

// select selects an event, unfolds it, and shows it. With keep, it leaves folded events folded.
function select(i, keep, always) {
  if (!(i >= 0 && i < run.n)) i = -1;
  if (i >= 0 && folded(i) && !keep && !rows.hidden[i]) {
    unfold(rows.of[i]);
    drawMap();
  }
  view.selected = i;
  if (i >= 0) show(rows.of[i], always);
  history.replaceState(null, "", i >= 0 ? "#e" + i : location.pathname + location.search);
  showEvent();
  refresh();
}

// step selects the next or the previous row, of one lane if that is given.
function step(by, lane) {
  let row = view.selected < 0 ? rowAt(view.top) : rows.of[view.selected];
  do {
    row += by;
    if (row < 0 || row >= rows.count) return;
  } while (lane >= 0 && (run.lane[rows.event[row]] !== lane || isFold(row)));
  select(rows.event[row], true);
}

// whereIs is the place of an event on the canvas.
function whereIs(i) {
  const lane = run.lane[i];
  return { x: lane in view.place ? xOf(lane) + bandAt + bandWidth / 2 : view.gutter + 40, y: heightOf(i) };
}

// hit is the row or the event at a place of the canvas: an event's mark before a line, and a line before a row.
function hit(x, y) {
  if (y < headHeight || !rows.count) return -1;
  const at = view.top + (y - headHeight) / view.zoom;
  let row = rowAt(at);
  if (row + 1 < rows.count && rows.y[row + 1] - at < at - rows.y[row]) row++;
  const i = rows.event[row], near = Math.abs(yOf(row) - y) <= Math.max(view.zoom / 2, 5);
  const inLane = run.lane[i] in view.place && x >= xOf(run.lane[i]) && x < xOf(run.lane[i]) + bandAt + bandWidth + 4;
  if (near && (inLane || x < view.gutter)) return i;
  let best = -1, least = 6;
  for (const [x1, y1, x2, y2, event] of drawn) {
    const length = (x2 - x1) ** 2 + (y2 - y1) ** 2 || 1;
    const part = clamp(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length, 0, 1);
    const distance = Math.hypot(x - x1 - part * (x2 - x1), y - y1 - part * (y2 - y1));
    if (distance < least) [least, best] = [distance, event];
  }
  return best >= 0 ? best : near ? i : -1;
}

function click(x, y) {
  const i = hit(x, y);
  if (i >= 0 && isFold(rows.of[i])) {
    unfold(rows.of[i]);
    drawMap();
    select(i, true);
  } else if (i >= 0) select(i);
}

// listen makes the canvas react to wheel, mouse and fingers.
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
  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, { x: e.offsetX, y: e.offsetY });
    if (fingers.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (e) => {
    const was = fingers.get(e.pointerId);
    if (!was) {
      canvas.style.cursor = hit(e.offsetX, e.offsetY) >= 0 ? "pointer" : "grab";
      return;
    }
    const now = { x: e.offsetX, y: e.offsetY };
    moved += Math.hypot(now.x - was.x, now.y - was.y);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== e.pointerId)[1];
      const before = Math.hypot(was.x - other.x, was.y - other.y), after = Math.hypot(now.x - other.x, now.y - other.y);
      zoom(after / Math.max(before, 1), (now.y + other.y) / 2);
    }
    if (moved > 4) move((was.x - now.x) / fingers.size, (was.y - now.y) / fingers.size);
    fingers.set(e.pointerId, now);
  });
  const up = (e) => {
    if (fingers.delete(e.pointerId) && e.type === "pointerup" && moved <= 4 && !fingers.size) click(e.offsetX, e.offsetY);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
}

// keys are the keys that work unless the focus is in a field.
const keys = {
  ArrowDown: () => move(0, 60), ArrowUp: () => move(0, -60), ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0),
  PageDown: () => move(0, view.height * .85), PageUp: () => move(0, -view.height * .85),
  Home: () => move(0, -1e12), End: () => move(0, 1e12),
  "+": () => zoom(1.25, view.height / 2), "=": () => zoom(1.25, view.height / 2), "-": () => zoom(.8, view.height / 2),
  j: () => step(1), k: () => step(-1),
  n: () => step(1, run.lane[view.selected]), p: () => step(-1, run.lane[view.selected]),
  v: () => select(run.violation >= 0 ? run.violation : run.open, false, true),
  "/": () => $("search").focus(), "?": () => $("help").showModal(),
  Escape: () => select(-1),
  Enter: () => {
    if (view.selected >= 0 && folded(view.selected)) select(view.selected);
  },
};

function onKey(e) {
  const target = e.target, inField = target.closest("input, dialog, .popup"), inPanel = target.closest("#panel, summary, button, a");
  if (e.key === "Escape" && (inField || $("filter").open)) {
    $("filter").open = false;
    $("picture").focus();
    return;
  }
  const scrolls = /^(Arrow|Page|Home|End|Enter)/.test(e.key);
  if (inField || e.ctrlKey || e.metaKey || e.altKey || !keys[e.key] || inPanel && scrolls) return;
  e.preventDefault();
  keys[e.key]();
}
