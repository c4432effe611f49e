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
  return kind === Receive && run.send[call] >= 0 || kind === End && (run.fate[i] === Delivered || run.fate[i] === Unreachable);
}

// drawEvents draws a mark for each event, and its words if there is room.
function drawEvents(first, last, step) {
  const free = run.lanes.map(() => -1e9); // where the words of each lane end
  for (let row = first; row <= last; row += step) {
    const i = rows.event[row], y = yOf(row), lane = run.lane[i], kind = run.kind[i];
    if (isFold(row)) {
      drawFold(row, y, free);
      continue;
    }
    if (!(lane in view.place) || kind === Link || kind === Violation) continue;
    const x = xOf(lane) + bandAt;
    if (x > view.width || x + view.lane < view.gutter) continue;
    pen.globalAlpha = faded(i) ? .3 : 1;
    drawMark(i, x, y);
    if (view.zoom < 9 && i !== view.selected || quiet(i) || y < free[lane] + 13) continue;
    free[lane] = y;
    drawWords(label(i), x + bandWidth + 9, y, toneOf(i), i === view.selected || kind === State);
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
    pen.fillStyle = kind >= Send && kind <= End ? colors.back : colors.ink;
    pen.strokeStyle = toneOf(i);
    pen.lineWidth = 1.2;
    circle(x + bandWidth / 2, y, view.zoom < 9 ? 1.8 : 3);
    pen.fill();
    pen.stroke();
  }
  if (i !== view.selected) return;
  pen.strokeStyle = colors.accent;
  pen.lineWidth = 2.5;
  circle(x + bandWidth / 2, y, 7);
  pen.stroke();
}

// drawWords writes words to the right of a band, or to the left if there is not enough room, on a ground that keeps lines
// away from them. They may reach across other lanes, which have nothing else in that row.
function drawWords(words, x, y, color, bold) {
  setFont(12, bold);
  const room = Math.min(axis.time ? view.lane - wordsAt - 6 : 330, view.width - x - 8);
  const left = widthOf(words) > room && room < 200 && !axis.time, shown = fit(words, left ? 300 : room);
  if (left) x -= bandWidth + 18 + widthOf(shown);
  const alpha = pen.globalAlpha;
  pen.globalAlpha = Math.min(1, alpha * 2);
  box(colors.halo, x - 3, y - 8, widthOf(shown) + 6, 16);
  pen.globalAlpha = alpha;
  text(shown, x, y, color, 12, bold);
}

function drawFold(row, y, free) {
  pen.globalAlpha = 1;
  if (view.zoom >= 3) {
    pen.fillStyle = colors.line;
    for (let x = view.gutter; x < view.width; x += 8) pen.fillRect(x, y - .5, 3, 1);
  }
  if (view.zoom < 9 || y < free.fold + 14 || rows.size[row] === 1) return;
  free.fold = y;
  setFont(11);
  const words = "⋯ " + foldWords(row), width = widthOf(words), x = view.width - width - 14;
  box(colors.back, x - 5, y - 7, width + 10, 14);
  text(words, x, y, colors.soft, 11);
}

// drawTimes writes times and the lengths of gaps at the left edge.
function drawTimes(first, last, step) {
  const x = view.gutter - 14;
  box(colors.back, 0, headHeight, view.gutter - 6, view.height);
  if (view.selected >= 0) drawSelection(0);
  let free = -1e9, before = -1;
  pen.textAlign = "right";
  for (let row = first; row <= last; row += step) {
    const y = yOf(row), at = run.at[rows.event[row]];
    if (row > 0 && !axis.time && view.zoom >= 9) {
      const gap = at - run.at[rows.last[row - 1]], height = y - yOf(row - 1), middle = y - height / 2;
      if (gap >= 2e7 && height > view.zoom * 1.6 && middle > free + 12 && height > 24) {
        text("· " + span(gap) + " ·", x, middle, colors.soft, 10);
      }
    }
    if (at === before && rows.event[row] !== view.selected || y < free + 14 || y < headHeight) continue;
    text(time(at), x, y, colors.ink, 11);
    free = y;
    before = at;
  }
  pen.textAlign = "left";
}

function drawHead() {
  box(colors.panel, 0, 0, view.width, headHeight);
  box(colors.line, 0, headHeight - 1, view.width, 1);
  within(view.gutter - 6, 0, () => {
    setFont(13, true);
    for (const lane of view.lanes) text(fit(laneName(lane), view.lane - bandAt - 6), xOf(lane) + bandAt, headHeight / 2, colors.ink, 13, true);
  });
  pen.textAlign = "right";
  text("seconds", view.gutter - 14, headHeight / 2, colors.soft, 11);
  pen.textAlign = "left";
}
