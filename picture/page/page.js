// The page: its tools, the map at the right edge, and how it begins.

let found = []; // the events that match the search

function listenToSearch() {
  const box = $("search");
  const say = () => {
    const k = lastAt(found, view.selected), on = found[k] === view.selected;
    $("found").textContent = !box.value.trim() ? "" : found.length ? (on ? k + 1 + " of " : "") + found.length : "none";
  };
  const go = (by) => {
    if (!found.length) return;
    let k = lastAt(found, view.selected);
    if (by > 0) k++;
    else if (found[k] === view.selected) k--;
    select(found[(k + found.length) % found.length]);
    say();
  };
  picture.searchAgain = () => {
    found = search(box.value);
    say();
  };
  box.oninput = picture.searchAgain;
  box.onkeydown = (e) => {
    if (e.key === "Enter") {
      e.preventDefault();
      go(e.shiftKey ? -1 : 1);
    }
  };
  $("earlier").onclick = () => go(-1);
  $("later").onclick = () => go(1);
}

// rearrange lays the rows out again, with the event in the middle, or the selected one, where it was.
function rearrange() {
  const anchor = view.selected >= 0 ? view.selected : rows.count ? rows.event[rowAt(view.top + view.height / 2 / view.zoom)] : 0;
  const y = heightOf(anchor);
  arrange();
  placeLanes();
  if (rows.count) view.top = rows.y[rows.of[anchor]] - (y - headHeight) / view.zoom;
  $("filtering").textContent = filtering() ? " (on)" : "";
  move(0, 0);
  drawMap();
  picture.searchAgain();
  showEvent();
}

// checks fills a box with a check box for each value, which adds the value to a set when it is not checked.
function checks(box, values, nameOfValue, hidden) {
  box.replaceChildren(...values.map((value) => make("label", {}, make("input", { type: "checkbox", checked: true, onchange: (e) => {
    for (const v of [value].flat()) hidden[e.target.checked ? "delete" : "add"](v);
    rearrange();
  } }), " " + nameOfValue(value))));
}

function fillFilter() {
  checks($("lanes"), run.lanes.map((_, lane) => lane), laneName, filter.lanes);
  checks($("names"), run.names, string, filter.names);
  const present = new Set(run.kind);
  checks($("kinds"), [[Start, Crash], [State], [Commit], [Apply], [Snapshot], [Save], [Log], [Link], [Net], [Step], [Invoke], [Note]]
    .filter((group) => group.some((kind) => present.has(kind))),
    (group) => group[0] === Start ? "starts and crashes" : group[0] === Invoke ? "operations" : kindNames[group[0]], filter.kinds);
  for (const name of ["from", "to", "index"]) {
    $(name).oninput = () => {
      filter[name] = $(name).value === "" ? NaN : Number($(name).value);
      rearrange();
    };
  }
  $("all").onclick = () => {
    for (const set of [filter.lanes, filter.names, filter.kinds]) set.clear();
    for (const name of ["from", "to", "index"]) filter[name] = NaN, $(name).value = "";
    for (const box of $("filter").querySelectorAll("input[type=checkbox]")) box.checked = true;
    rearrange();
  };
}

function setTheme(isDark) {
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  view.colors = isDark ? dark : light;
  patterns.clear();
  refresh();
  drawMap();
}

// drawMap draws the whole run small: the roles of each lane, how many events there are, and the violation.
function drawMap() {
  const canvas = $("map"), width = canvas.clientWidth, height = canvas.clientHeight, colors = view.colors;
  if (!rows.of || !width) return;
  canvas.width = width;
  canvas.height = height;
  const ink = canvas.getContext("2d"), servers = view.lanes.filter((lane) => !run.lanes[lane].client);
  const part = (width - 14) / Math.max(servers.length, 1);
  ink.fillStyle = colors.head;
  ink.fillRect(0, 0, width, height);
  for (let y = 0; y < height; y++) {
    const row = rowAt(y / height * rows.total), i = rows.event[row], after = rowAt((y + 1) / height * rows.total);
    servers.forEach((lane, k) => {
      const bands = run.bands[lane], band = lastAt(bands.first, i);
      if (!bands.up[band] || bands.role[band] === NoRole) return;
      ink.globalAlpha = bands.role[band] === Leader ? 1 : bands.role[band] === Candidate ? .1 + .6 * (y % 2) : .2;
      ink.fillStyle = colors.terms[bands.term[band] % colors.terms.length];
      ink.fillRect(2 + k * part, y, Math.max(part - 1.5, 1), 1);
    });
    ink.globalAlpha = 1;
    ink.fillStyle = colors.soft;
    ink.fillRect(width - 11, y, Math.min(10, 3 * Math.log10(1 + rows.event[after] - i)), 1);
  }
  ink.fillStyle = colors.bad;
  if (run.violation >= 0) ink.fillRect(0, rows.y[rows.of[run.violation]] / (rows.total || 1) * height - 1.5, width, 3);
}

// placeWindow moves the frame in the map to what is in view.
function placeWindow() {
  const height = view.height, total = rows.total || 1, top = view.top / total * height;
  const size = Math.max((view.height - headHeight) / view.zoom / total * height, 8);
  $("window").style.transform = "translateY(" + clamp(top, 0, height - 8) + "px)";
  $("window").style.height = Math.min(size, height) + "px";
}

function listenToMap() {
  const map = $("map"), go = (e) => {
    if (!e.buttons && e.type !== "pointerdown") return;
    view.top = e.offsetY / view.height * rows.total - (view.height - headHeight) / view.zoom / 2;
    move(0, 0);
  };
  map.onpointerdown = (e) => {
    map.setPointerCapture(e.pointerId);
    go(e);
  };
  map.onpointermove = go;
}

function listenToTools() {
  listen($("picture"));
  listenToMap();
  listenToSearch();
  addEventListener("keydown", onKey);
  addEventListener("resize", resize);
  addEventListener("hashchange", () => select(eventOfHash()));
  $("tools").onsubmit = (e) => e.preventDefault();
  $("in").onclick = keys["+"];
  $("out").onclick = keys["-"];
  $("jump").onclick = keys.v;
  $("ask").onclick = keys["?"];
  $("theme").onclick = () => setTheme(view.colors === light);
  $("fold").onchange = () => {
    opened.all = !$("fold").checked;
    opened.events.fill(0);
    rearrange();
  };
  $("past").onchange = () => {
    view.past = $("past").checked;
    refresh();
  };
  $("true-time").onchange = () => {
    axis.time = $("true-time").checked;
    rearrange();
  };
  $("copy").onclick = async () => {
    getSelection().selectAllChildren($("command"));
    $("copy").textContent = await navigator.clipboard.writeText(run.command).then(() => "Copied", () => "Press Ctrl+C");
  };
}

function eventOfHash() {
  const match = /^#e(\d+)$/.exec(location.hash);
  return match ? Number(match[1]) : -1;
}

// fillPage writes what does not change.
function fillPage() {
  $("title").textContent = run.title;
  const notes = run.omitted ? ["The first " + run.omitted + " events were left out.", ...run.notes] : run.notes;
  $("notes").hidden = !notes.length;
  $("notes").replaceChildren(...notes.map((note) => make("p", {}, note)));
  $("again").hidden = !run.command;
  $("command").textContent = run.command;
  $("jump").hidden = $("banner").hidden = run.violation < 0;
  if (run.violation >= 0) {
    $("rule").textContent = string(run.name[run.violation]);
    $("broken").textContent = string(run.text[run.violation]);
  }
  showPast();
  showElections();
  fillFilter();
}

async function start() {
  const media = matchMedia("(prefers-color-scheme: dark)");
  pen = $("picture").getContext("2d", { alpha: false });
  setTheme(media.matches);
  media.onchange = () => setTheme(media.matches);
  await decode($("data").textContent);
  $("data").remove();
  const counts = new Map();
  for (let i = 0; i < run.n; i++) if (run.kind[i] === Send) counts.set(run.name[i], (counts.get(run.name[i]) || 0) + 1);
  run.names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  arrange();
  fillPage();
  resize();
  listenToTools();
  select(eventOfHash() >= 0 ? eventOfHash() : run.open, false, true);
  showLegend();
  $("busy").remove();
  picture.ready = performance.now();
}

addEventListener("DOMContentLoaded", () => start().catch((problem) => {
  $("busy").textContent = "This page cannot be shown: " + problem;
  throw problem;
}));
