// The page: its tools, the map at the right edge, and how it begins.

let found = []; // the events that match the search

// say tells how many events match, and which of them is selected.
function say() {
  const k = lastAt(found, view.selected), on = k >= 0 && found[k] === view.selected;
  $("found").textContent = !$("search").value.trim() ? "" : found.length ? (on ? k + 1 + " of " : "") + found.length : "none";
}

function searchAgain() {
  found = search($("search").value);
  say();
}

// goTo selects the next or the previous match, from the last one on to the first.
function goTo(by) {
  const k = lastAt(found, view.selected), next = by > 0 ? k + 1 : found[k] === view.selected ? k - 1 : k;
  if (found.length) select(found[(next + found.length) % found.length]);
  say();
}

// rearrange lays the rows out again. The selected event, or what was in the middle, stays where it was.
function rearrange() {
  const anchor = view.selected >= 0 ? view.selected : rows.count ? rows.event[rowAt(view.top + view.height / 2 / view.zoom)] : 0;
  const y = heightOf(anchor);
  arrange();
  placeLanes();
  view.top = rows.y[rows.of[anchor]] - (y - headHeight) / view.zoom;
  $("filtering").textContent = filtering() ? " (on)" : "";
  move(0, 0);
  drawMap();
  searchAgain();
  showEvent();
}

// checks fills a box with a check box for each group of values, which adds them to a set when it is not checked.
function checks(box, groups, nameOf, hidden) {
  box.replaceChildren(...groups.map((group) => make("label", {}, make("input", { type: "checkbox", checked: true, onchange: (e) => {
    for (const value of group) hidden[e.target.checked ? "delete" : "add"](value);
    rearrange();
  } }), " " + nameOf(group[0]))));
}

function fillFilter() {
  const present = new Set(run.kind), kinds = [[Start, Crash], [State], [Commit], [Apply], [Snapshot], [Save], [Log], [Link], [Net], [Step], [Invoke], [Note]];
  checks($("lanes"), run.lanes.map((_, lane) => [lane]), laneName, filter.lanes);
  checks($("names"), run.names.map((name) => [name]), string, filter.names);
  checks($("kinds"), kinds.filter((group) => group.some((kind) => present.has(kind))),
    (kind) => ({ [Start]: "starts and crashes", [Invoke]: "operations" })[kind] || kindNames[kind], filter.kinds);
  for (const name of ["from", "to", "index"]) $(name).oninput = () => {
    filter[name] = $(name).value === "" ? NaN : Number($(name).value);
    rearrange();
  };
  $("all").onclick = () => {
    for (const set of [filter.lanes, filter.names, filter.kinds]) set.clear();
    for (const name of ["from", "to", "index"]) filter[name] = NaN, $(name).value = "";
    for (const input of $("filter").querySelectorAll("input[type=checkbox]")) input.checked = true;
    rearrange();
  };
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readColors();
  refresh();
  drawMap();
}

// drawMap draws the whole run small: the roles of each lane, how many events there are, and the violation.
function drawMap() {
  const canvas = $("map"), width = canvas.clientWidth, height = canvas.clientHeight, grain = 3;
  if (!rows.count || !width) return;
  Object.assign(canvas, { width, height });
  const ink = canvas.getContext("2d"), servers = view.lanes.filter((lane) => !run.lanes[lane].client);
  const part = (width - 16) / Math.max(servers.length, 1), rowOf = (y) => rowAt(y / height * rows.total);
  ink.fillStyle = colors.panel;
  ink.fillRect(0, 0, width, height);
  for (let y = 0; y < height; y++) {
    const i = rows.event[rowOf(y)];
    servers.forEach((lane, k) => {
      const bands = run.bands[lane], band = lastAt(bands.first, i), role = bands.role[band];
      if (!bands.up[band] || role === NoRole) return;
      Object.assign(ink, { globalAlpha: role === Leader ? 1 : role === Candidate ? .1 + .3 * (y % 3) : .2, fillStyle: termColor(bands.term[band]) });
      ink.fillRect(3 + k * part, y, Math.max(part - 1.5, 1), 1);
    });
    Object.assign(ink, { globalAlpha: .55, fillStyle: colors.soft });
    const events = rows.event[rowOf(y + grain)] - i;
    if (y % grain === 0) ink.fillRect(width - 12, y, Math.min(11, 3.5 * Math.log10(1 + events)), grain);
    ink.globalAlpha = 1;
  }
  ink.fillStyle = colors.bad;
  if (run.violation >= 0) ink.fillRect(0, rows.y[rows.of[run.violation]] / (rows.total || 1) * height - 2, width, 3);
}

// placeWindow moves the frame in the map to what is in view.
function placeWindow() {
  const scale = view.height / (rows.total || 1), size = clamp((view.height - headHeight) / view.zoom * scale, 8, view.height);
  Object.assign($("window").style, { height: size + "px", transform: "translateY(" + clamp(view.top * scale, 0, view.height - size) + "px)" });
}

function listenToMap(map) {
  map.onpointerdown = (e) => map.setPointerCapture(e.pointerId);
  map.onpointermove = map.onpointerup = (e) => {
    if (!e.buttons && e.type === "pointermove") return;
    view.top = e.offsetY / view.height * rows.total - (view.height - headHeight) / view.zoom / 2;
    move(0, 0);
  };
}

function listenToTools() {
  listen($("picture"));
  listenToMap($("map"));
  addEventListener("keydown", onKey);
  addEventListener("resize", resize);
  addEventListener("hashchange", () => select(eventOfHash()));
  $("tools").onsubmit = (e) => e.preventDefault();
  $("search").oninput = searchAgain;
  $("search").onkeydown = (e) => { if (e.key === "Enter") goTo(e.shiftKey ? -1 : 1); };
  const clicks = { earlier: () => goTo(-1), later: () => goTo(1), in: keys["+"], out: keys["-"], jump: keys.v, ask: keys["?"],
    theme: () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark") };
  for (const id in clicks) $(id).onclick = clicks[id];
  const switches = { fold: (on) => { opened.all = !on; }, past: (on) => { view.past = on; } };
  for (const id in switches) $(id).onchange = () => {
    switches[id]($(id).checked);
    opened.events.fill(0);
    rearrange();
  };
  $("copy").onclick = async () => {
    const copy = async () => navigator.clipboard.writeText(run.command); // there may be no clipboard, or it may be forbidden
    getSelection().selectAllChildren($("command"));
    $("copy").textContent = await copy().then(() => "Copied", () => "Press Ctrl+C");
  };
}

const eventOfHash = () => Number((/^#e(\d+)$/.exec(location.hash) || ["", -1])[1]);

// fillPage writes what does not change.
function fillPage() {
  $("title").textContent = run.title;
  $("again").hidden = !run.command;
  $("command").textContent = run.command;
  for (let k = 0; k < dashes.length; k++) $("style" + k).textContent = run.names.filter((_, j) => j % dashes.length === k).map(string).join(", ");
  showNotes();
  showViolation();
  showPast();
  showElections();
  fillFilter();
}

async function start() {
  const media = matchMedia("(prefers-color-scheme: dark)"), follow = () => setTheme(media.matches ? "dark" : "light");
  pen = $("picture").getContext("2d", { alpha: false });
  await decode($("data").textContent);
  $("data").remove();
  follow();
  fillPage();
  arrange();
  resize();
  media.onchange = follow;
  listenToTools();
  select(eventOfHash() >= 0 ? eventOfHash() : run.open, false, true);
  $("busy").remove();
  picture.ready = performance.now();
}

addEventListener("DOMContentLoaded", () => start().catch((problem) => {
  $("busy").textContent = "This page cannot be shown: " + problem;
  throw problem;
}));
