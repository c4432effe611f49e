// Messages and operations, and the marks of events.

const dashes = [[], [9, 4], [9, 3, 2, 3], [4, 3]];
const drawn = []; // what the last frame has drawn, for clicks: x, y, x, y and the event of each line

// styleOf is the position of a message's name in the order of the names, which chooses its dashes and colour.
function styleOf(call) {
  const k = run.names.indexOf(run.name[firstOf(call)]);
  return Math.max(k, 0) % dashes.length;
}

// drawArrows draws the calls that touch the rows from first to last.
function drawArrows(first, last, step) {
  drawn.length = 0;
  const seen = new Set(), few = view.zoom >= 3;
  const one = (call) => {
    if (seen.has(call)) return;
    seen.add(call);
    if (run.kind[firstOf(call)] === Invoke || run.kind[firstOf(call)] === Return) drawOperation(call);
    else drawMessage(call);
  };
  const most = 1200;
  for (const call of rows.spans[Math.floor(first / blockSize)]) {
    if (seen.size < most && (few || matters(call))) one(call);
  }
  for (let row = first - first % blockSize; row <= last && seen.size < most; row += 1) {
    if (row < first && !few) continue;
    if (isFold(row)) continue;
    const call = run.of[rows.event[row]];
    if (call >= 0 && (few || matters(call) || row % step === 0 && last - first < 3000)) one(call);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

// matters reports whether a message is drawn even if the rows are too close for all of them.
function matters(call) {
  const first = firstOf(call);
  return view.past && (run.flags[first] & Past) !== 0 || run.of[view.selected] === call || run.kind[first] === Invoke;
}

// line draws a line and remembers it as belonging to event i.
function line(x1, y1, x2, y2, i) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
  drawn.push([x1, y1, x2, y2, i]);
}

// head draws the head of an arrow that ends at x, y.
function arrowHead(x1, y1, x, y, open) {
  const angle = Math.atan2(y - y1, x - x1), size = 7;
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x - size * Math.cos(angle - .42), y - size * Math.sin(angle - .42));
  pen.lineTo(x, y);
  pen.lineTo(x - size * Math.cos(angle + .42), y - size * Math.sin(angle + .42));
  if (open) return pen.stroke();
  pen.closePath();
  pen.fill();
}

// cross marks where a message is lost.
function cross(x, y) {
  pen.setLineDash([]);
  pen.lineWidth = 2;
  for (const side of [-1, 1]) {
    pen.beginPath();
    pen.moveTo(x - 4.5, y - 4.5 * side);
    pen.lineTo(x + 4.5, y + 4.5 * side);
    pen.stroke();
  }
}

// side is the x at which arrows between two lanes touch the first one.
function side(lane, other) {
  return xOf(lane) + bandAt + (view.place[other] > view.place[lane] ? bandWidth + 1 : -1);
}

// place is the height of an event, or NaN.
function heightOf(i) {
  return i < 0 ? NaN : yOf(rows.of[i]);
}

function drawMessage(call) {
  const first = firstOf(call), onward = run.kind[first] === Send;
  const from = run.from[call], to = run.to[call];
  if (!(from in view.place) || !(to in view.place) || from === to || rows.hidden[first]) return;
  const chosen = run.of[view.selected] === call, fate = fateOf(call), style = styleOf(call), colors = view.colors;
  const send = run.send[call], receive = run.receive[call], answer = run.answer[call], end = run.end[call];
  const heights = [send, receive, answer, end].filter((i) => i >= 0).map(heightOf);
  if (Math.max(...heights) < headHeight - 60 || Math.min(...heights) > view.height + 60) return;
  pen.globalAlpha = faded(first) && !chosen ? .13 : 1;
  pen.strokeStyle = pen.fillStyle = colors.messages[style];
  pen.lineWidth = chosen ? 2.6 : 1.3;
  pen.setLineDash(dashes[style]);
  const x1 = side(from, to), x2 = side(to, from), y1 = heightOf(send);
  if (onward && receive >= 0) {
    line(x1, y1, x2, heightOf(receive), send);
    arrowHead(x1, y1, x2, heightOf(receive));
  } else if (onward) drawStub(x1, y1, x2, fate, send);
  if (answer >= 0) drawReply(call, x1, x2, fate, chosen);
}

// drawStub draws a request that has not arrived.
function drawStub(x1, y1, x2, fate, i) {
  const part = fate === Unreachable ? Math.min(44 / Math.abs(x2 - x1), .4) : .5;
  const x = x1 + (x2 - x1) * part, y = y1 + (fate === Unreachable ? 0 : Math.min(view.zoom, 24) * .8);
  line(x1, y1, x, y, i);
  if (fate === RequestLost || fate === CutOff) {
    pen.strokeStyle = view.colors.bad;
    cross(x, y);
  } else if (fate === Unreachable) {
    pen.setLineDash([]);
    pen.lineWidth = 3;
    pen.strokeStyle = view.colors.cut;
    pen.beginPath();
    pen.moveTo(x, y - 6);
    pen.lineTo(x, y + 6);
    pen.stroke();
  } else arrowHead(x1, y1, x, y, true);
}

// drawReply draws the way back of an answer, thin and dotted.
function drawReply(call, x1, x2, fate, chosen) {
  const answer = run.answer[call], end = run.end[call], y = heightOf(answer);
  pen.lineWidth = chosen ? 2.2 : 1;
  pen.strokeStyle = pen.fillStyle = refused(call) ? view.colors.bad : view.colors.messages[styleOf(call)];
  pen.setLineDash([2, 3]);
  if (fate === Delivered || fate === Late || fate === Ignored) {
    const yEnd = heightOf(end);
    line(x2, y, x1, yEnd, answer);
    if (fate !== Ignored) return arrowHead(x2, y, x1, yEnd, true);
    pen.setLineDash([]);
    pen.beginPath();
    pen.arc(x1 + Math.sign(x2 - x1) * 5, yEnd, 4.5, 0, 7);
    pen.stroke();
    return;
  }
  const x = (x1 + x2) / 2, yEnd = y + Math.min(view.zoom, 24) * .8;
  line(x2, y, x, yEnd, answer);
  if (!fate) return arrowHead(x2, y, x, yEnd, true);
  pen.strokeStyle = view.colors.bad;
  cross(x, yEnd);
}

// drawOperation draws an operation of a client as a bar.
function drawOperation(call) {
  const begin = run.send[call], end = run.end[call], lane = run.lane[firstOf(call)];
  if (!(lane in view.place)) return;
  const top = begin < 0 ? headHeight : heightOf(begin), bottom = end < 0 ? Math.min(top + view.zoom, view.height) : heightOf(end);
  const x = xOf(lane) + bandAt + 4, colors = view.colors, bad = end >= 0 && !(run.flags[end] & OK);
  pen.globalAlpha = faded(firstOf(call)) ? .3 : 1;
  pen.fillStyle = colors.faint;
  pen.strokeStyle = bad ? colors.bad : colors.soft;
  pen.lineWidth = run.of[view.selected] === call ? 2.5 : 1.2;
  pen.setLineDash(end < 0 ? [3, 3] : []);
  pen.beginPath();
  pen.rect(x, top, bandWidth - 8, Math.max(bottom - top, 2));
  pen.fill();
  pen.stroke();
}
