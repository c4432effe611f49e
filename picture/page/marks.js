// Marks and words beside the lanes, times, and the heads of the lanes.

// toneOf is the colour of an event's words.
function toneOf(i) {
  const colors = view.colors, kind = run.kind[i];
  if (kind === Answer) return run.flags[i] & OK ? colors.good : colors.bad;
  if (kind === End || kind === Crash) return colors.bad;
  if (kind === Return) return run.flags[i] & OK ? colors.good : colors.bad;
  if (kind === Commit || kind === Apply) return colors.good;
  if (kind === Save || kind === Receive || kind === Start) return colors.soft;
  if (kind === Send && run.of[i] >= 0) return colors.messages[styleOf(run.of[i])];
  return colors.ink;
}

// quiet reports whether an event needs no words, since the arrow that ends there says enough.
function quiet(i) {
  const kind = run.kind[i], call = run.of[i];
  if (i === view.selected || call < 0) return false;
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
    pen.globalAlpha = faded(i) ? .3 : 1;
    const x = xOf(lane) + bandAt;
    if (x > view.width || x + view.lane < view.gutter) continue;
    drawMark(i, x, y);
    if (view.zoom < 9 && i !== view.selected || quiet(i) || y < free[lane] + 13) continue;
    free[lane] = y;
    drawWords(label(i), x + bandWidth + 9, y, toneOf(i), i === view.selected || kind === State || kind === Violation);
  }
  pen.globalAlpha = 1;
}

function drawMark(i, x, y) {
  const colors = view.colors, kind = run.kind[i];
  if (view.zoom < 3) {
    pen.fillStyle = colors.soft;
    pen.fillRect(x + bandWidth, y, 4, 1);
    return;
  }
  const size = view.zoom < 9 ? 1.8 : 3;
  pen.fillStyle = kind === Send || kind === Receive || kind === Answer || kind === End ? colors.back : colors.ink;
  if (view.past && run.flags[i] & Past) {
    pen.fillStyle = colors.accent;
    pen.fillRect(x + bandWidth + 2, y - 6, 3, 12);
  }
  const at = x + (run.kind[i] === State || run.kind[i] === Start ? bandWidth : bandWidth / 2);
  if (kind !== State) {
    pen.strokeStyle = toneOf(i);
    pen.lineWidth = 1.2;
    pen.setLineDash([]);
    pen.beginPath();
    pen.arc(at, y, size, 0, 7);
    pen.fill();
    pen.stroke();
  }
  if (i === view.selected) {
    pen.strokeStyle = colors.accent;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(at, y, 7, 0, 7);
    pen.stroke();
  }
}

// drawWords writes words to the right of a band, or to the left if there is not enough room, on a ground that keeps lines
// away from them. They may reach across other lanes, which have nothing else in that row.
function drawWords(words, x, y, color, bold) {
  setFont(12, bold);
  const room = Math.min(axis.time ? view.lane - wordsAt - 6 : 330, view.width - x - 8), needs = widthOf(words);
  const left = needs > room && room < 200 && !axis.time;
  const shown = fit(words, left ? 300 : room);
  if (left) x -= bandWidth + 18 + widthOf(shown);
  const alpha = pen.globalAlpha;
  pen.globalAlpha = 1;
  pen.fillStyle = view.colors.halo;
  pen.fillRect(x - 3, y - 8, widthOf(shown) + 6, 16);
  pen.globalAlpha = alpha;
  text(shown, x, y, color, 12, bold);
}

function drawFold(row, y, free) {
  const colors = view.colors;
  pen.globalAlpha = view.past ? .5 : 1;
  if (view.zoom >= 3) {
    pen.fillStyle = colors.line;
    for (let x = view.gutter; x < view.width; x += 8) pen.fillRect(x, y - .5, 3, 1);
  }
  if (view.zoom < 9 || y < free.fold + 14) return;
  free.fold = y;
  const words = "⋯ " + foldWords(row);
  setFont(11);
  const width = widthOf(words), x = view.width - width - 14;
  pen.fillStyle = colors.back;
  pen.fillRect(x - 5, y - 7, width + 10, 14);
  text(words, x, y, colors.soft, 11);
}

// drawTimes writes times and the lengths of gaps at the left edge.
function drawTimes(first, last) {
  const colors = view.colors;
  pen.fillStyle = colors.back;
  pen.fillRect(0, headHeight, view.gutter - 6, view.height);
  if (view.selected >= 0) {
    const half = Math.max(Math.min(view.zoom / 2, 11), 2);
    pen.fillStyle = colors.mark;
    pen.fillRect(0, yOf(rows.of[view.selected]) - half, view.gutter - 6, 2 * half);
  }
  let free = -1e9, before = -1;
  pen.textAlign = "right";
  for (let row = first; row <= last; row++) {
    const y = yOf(row), at = run.at[rows.event[row]];
    if (row > 0 && !axis.time && view.zoom >= 9) {
      const gap = at - run.at[endOf(row - 1)], middle = (yOf(row) + yOf(row - 1)) / 2;
      if (gap >= 2e7 && yOf(row) - yOf(row - 1) > view.zoom * 1.6 && middle > free + 12 && y - middle > 12) {
        text("· " + span(gap) + " ·", view.gutter - 14, middle, colors.soft, 10);
      }
    }
    if (at === before || y < free + 14 || y < headHeight) continue;
    text(time(at), view.gutter - 14, y, colors.ink, 11);
    free = y;
    before = at;
  }
  pen.textAlign = "left";
}

// endOf is the last event of a row.
function endOf(row) {
  let i = row + 1 < rows.count ? rows.event[row + 1] - 1 : run.n - 1;
  while (i > rows.event[row] && rows.hidden[i]) i--;
  return i;
}

function drawHead() {
  const colors = view.colors;
  pen.globalAlpha = 1;
  pen.fillStyle = colors.head;
  pen.fillRect(0, 0, view.width, headHeight);
  pen.fillStyle = colors.line;
  pen.fillRect(0, headHeight - 1, view.width, 1);
  pen.save();
  pen.beginPath();
  pen.rect(view.gutter - 6, 0, view.width, headHeight);
  pen.clip();
  for (const lane of view.lanes) {
    setFont(13, true);
    text(fit(laneName(lane), view.lane - bandAt - 6), xOf(lane) + bandAt, headHeight / 2, colors.ink, 13, true);
  }
  pen.restore();
  pen.textAlign = "right";
  text("seconds", view.gutter - 14, headHeight / 2, colors.soft, 11);
  pen.textAlign = "left";
}
