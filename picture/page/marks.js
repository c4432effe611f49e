// Marks and words beside the lanes, times, and the heads of the lanes.

// toneOf is the colour of an event's words.
function toneOf(i) {
  const ok = run.flags[i] & OK, fate = run.fate[i];
  switch (run.kind[i]) {
    case Answer: case Return: return ok ? colors.good : colors.bad;
    case End: return fate === Delivered ? colors.soft : fate === Late ? colors.cut : colors.bad;
    case Crash: return colors.bad;
    case Commit: case Apply: return colors.good;
    case Save: case Receive: case Start: return colors.soft;
    case Send: return run.of[i] >= 0 ? colors.messages[styleOf(run.of[i])] : colors.ink;
    default: return colors.ink;
  }
}

// quiet reports whether an event needs no words, since the arrow that ends there says enough.
function quiet(i) {
  const kind = run.kind[i], call = run.of[i];
  if (i === view.selected || call < 0) return i !== view.selected && kind === State && (run.flags[i] & Same) !== 0;
  return kind === Receive && run.send[call] >= 0 || kind === End && !run.text[i] && (run.fate[i] === Delivered || run.fate[i] === Unreachable);
}

// drawEvents draws a mark for each event, and its words if there is room.
function drawEvents(first, last, step) {
  const free = run.lanes.map(() => -1e9); // where the words of each lane end
  for (let row = first; row <= last; row += step) {
    const i = rows.event[row], y = yOf(row), lane = run.lane[i], kind = run.kind[i];
    if (isFold(row) || !(lane in view.place) || kind === Link || kind === Violation) continue;
    const x = xOf(lane) + bandAt;
    if (x > view.width || x + view.lane < view.gutter) continue;
    pen.globalAlpha = faded(i) ? .3 : 1;
    drawMark(i, x, y);
    if (view.zoom < 9 && i !== view.selected || quiet(i) || y < free[lane] + 13) continue;
    free[lane] = y;
    pen.globalAlpha = 1;
    drawWords(i, x + bandWidth + 9, y, i === view.selected || kind === State);
  }
  pen.globalAlpha = 1;
}

function circle(x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
}

function drawMark(i, x, y) {
  const kind = run.kind[i];
  if (view.zoom < 3) return box(colors.soft, x + bandWidth, y, 4, 1);
  if (view.past && run.flags[i] & Past) box(colors.accent, x + bandWidth + 2, y - 6, 3, 12);
  if (kind !== State || run.flags[i] & Same) {
    Object.assign(pen, { fillStyle: kind >= Send && kind <= End ? colors.back : colors.ink, strokeStyle: toneOf(i), lineWidth: 1.2 });
    circle(x + bandWidth / 2, y, view.zoom < 9 ? 1.8 : 3);
    pen.fill();
    pen.stroke();
  }
  if (i !== view.selected) return;
  Object.assign(pen, { strokeStyle: colors.accent, lineWidth: 2.5 });
  circle(x + bandWidth / 2, y, 7);
  pen.stroke();
}

// drawWords writes an event's label to the right of its band, or to the left if there is not enough room. The label may reach
// across other lanes, which have nothing else in that row.
function drawWords(i, x, y, bold) {
  setFont(12, bold);
  const most = 330 * view.scale, room = Math.min(most, view.width - x - 8), leftRoom = Math.min(most, x - bandWidth - 26 - view.gutter);
  const words = widthOf(label(i)) <= room ? label(i) : brief(i), left = widthOf(words) > room && leftRoom > room, shown = fit(words, left ? leftRoom : room);
  haloed(shown, left ? x - bandWidth - 18 - widthOf(shown) : x, y, faded(i) ? colors.soft : toneOf(i), 12, bold);
}

// marginWords is what stands beside a row: how much is folded there, a step of the test, or what happens to the network.
function marginWords(row) {
  const i = rows.event[row], kind = run.kind[i];
  if (isFold(row)) return rows.size[row] > 1 ? "⋯ " + foldWords(row) : "";
  return kind === Link ? linkWords(i, rows.size[row]) : run.lane[i] >= 0 || kind === Violation ? "" : (kind === Step ? "▷ " : "") + label(i);
}

// drawMargin writes times, the lengths of gaps, and what concerns the whole run at the left edge.
function drawMargin(first, last, step) {
  const right = view.times - 8, room = view.gutter - view.times - 14;
  box(colors.back, 0, headHeight, view.gutter - 6, view.height);
  if (view.selected >= 0) drawSelection(0);
  let free = -1e9, freeWords = -1e9, before = -1, shown = -1; // shown is the row before, except folds
  for (let row = first; row <= last; row += step) {
    const i = rows.event[row], y = yOf(row), at = run.at[i], words = view.zoom < 9 || y < freeWords + 13 * view.scale ? "" : marginWords(row);
    if (words) {
      const fold = isFold(row), color = fold ? colors.soft : run.kind[i] === Step ? colors.ink : colors.cut;
      setFont(11, !fold);
      text(fit(fold && widthOf(words) > room ? words.replace(/ \D*$/, "") : words, room), view.times, y, color, 11, !fold);
      freeWords = y;
    }
    if (isFold(row)) continue;
    pen.textAlign = "right";
    const gap = shown < 0 ? 0 : at - run.at[rows.last[shown]], half = (y - yOf(shown)) / 2;
    if (gap >= 2e7 && view.zoom >= 9 && half > 12 * view.scale && y - half > free + 12) text("· " + span(gap) + " ·", right, y - half, colors.soft, 10.5);
    if ((at !== before || i === view.selected) && y >= free + 14 && y >= headHeight) {
      text(time(at), right, y, colors.ink, 11);
      [free, before] = [y, at];
    }
    pen.textAlign = "left";
    shown = row;
  }
}

function drawHead() {
  const top = rows.count ? rows.event[rowAt(view.top)] : 0;
  box(colors.panel, 0, 0, view.width, headHeight);
  box(colors.line, 0, headHeight - 1, view.width, 1);
  within(view.gutter - 6, 0, () => view.lanes.forEach((lane) => {
    const bands = run.bands[lane], band = lastAt(bands.first, top);
    const size = view.tight ? 11 : 13, at = view.tight ? 6 : bandAt;
    setFont(size, true);
    text(fit(laneName(lane), view.lane - at - 4), xOf(lane) + at, 14, colors.ink, size, true);
    if (band + bands.term[band] > 0 && !bands.up[band]) text("crashed", xOf(lane) + bandAt, 31, colors.bad, 10.5);
    else writeCut(lane, lastAt(run.links[lane].first, top), 31);
  }));
  text("seconds", 8, 14, colors.soft, 11);
}
