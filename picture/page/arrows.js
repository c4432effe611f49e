// Messages and operations.

const dashes = [[], [9, 4], [9, 3, 2, 3], [4, 3]];
const drawn = []; // what the last frame has drawn, for clicks: x, y, x, y and the event of each line
const crosses = []; // where messages were lost in this frame, drawn above all

// styleOf is the position of a message's name in the order of the names, which chooses its dashes and colour.
const styleOf = (call) => Math.max(run.names.indexOf(run.name[run.first[call]]), 0) % dashes.length;

// drawArrows draws the calls that touch the rows from first to last: all, or those that matter if the rows are too close.
function drawArrows(first, last, step) {
  drawn.length = crosses.length = 0;
  const seen = new Set(), close = view.zoom < 3, most = 1200;
  const one = (call, always) => {
    if (seen.has(call) || seen.size >= most || close && !always && !matters(call)) return;
    seen.add(call);
    if (run.kind[run.first[call]] === Invoke || run.kind[run.first[call]] === Return) drawOperation(call);
    else drawMessage(call);
  };
  for (const call of rows.spans[Math.floor(first / blockSize)]) one(call);
  for (let row = first - first % blockSize; row <= last; row++) {
    const call = run.of[rows.event[row]];
    if (call >= 0 && !isFold(row)) one(call, row % step === 0 && last - first < 3000);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

// matters reports whether a call is drawn even if the rows are too close for all.
function matters(call) {
  const first = run.first[call];
  return view.past && (run.flags[first] & Past) !== 0 || run.of[view.selected] === call || run.kind[first] === Invoke;
}

function stroke(x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// line draws a line and remembers it as belonging to event i.
function line(x1, y1, x2, y2, i) {
  stroke(x1, y1, x2, y2);
  drawn.push([x1, y1, x2, y2, i]);
}

// arrowHead draws the head of an arrow that ends at x, y.
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

function drawCrosses() {
  for (const [x, y, alpha] of crosses) {
    Object.assign(pen, { globalAlpha: alpha, lineWidth: 2, strokeStyle: colors.bad });
    for (const side of [-4.5, 4.5]) stroke(x - 4.5, y - side, x + 4.5, y + side);
  }
}

// sideOf is the x at which arrows between two lanes touch the first one.
const sideOf = (lane, other) => xOf(lane) + bandAt + (view.place[other] > view.place[lane] ? bandWidth + 1 : -1);

function drawMessage(call) {
  const first = run.first[call], from = run.from[call], to = run.to[call];
  if (!(from in view.place) || !(to in view.place) || from === to || rows.hidden[first]) return;
  const send = run.send[call], receive = run.receive[call], answer = run.answer[call], fate = fateOf(call), style = styleOf(call);
  const heights = [send, receive, answer, run.end[call]].filter((i) => i >= 0).map(heightOf);
  if (Math.max(...heights) < headHeight - 60 || Math.min(...heights) > view.height + 60) return;
  const chosen = run.of[view.selected] === call, x1 = sideOf(from, to), x2 = sideOf(to, from), y1 = heightOf(send);
  pen.globalAlpha = faded(first) && !chosen ? .13 : 1;
  pen.strokeStyle = pen.fillStyle = colors.messages[style];
  pen.lineWidth = chosen ? 2.6 : 1.3;
  pen.setLineDash(dashes[style]);
  const same = (a, b) => a >= 0 && b >= 0 && rows.of[a] === rows.of[b]; // both are in one row of folded events
  if (send >= 0 && receive >= 0) {
    if (!same(send, receive)) {
      line(x1, y1, x2, heightOf(receive), send);
      arrowHead(x1, y1, x2, heightOf(receive));
    }
  } else if (send >= 0) drawStub(x1, y1, x2, fate, send);
  if (answer < 0 || same(answer, run.end[call]) || folded(answer)) return;
  pen.lineWidth = chosen ? 2.2 : 1;
  if (refused(call)) pen.strokeStyle = colors.bad;
  pen.setLineDash([2, 3]);
  drawReply(x2, heightOf(answer), x1, heightOf(run.end[call]), fate, answer);
}

// drawStub draws the way of a message from x1 that has not arrived at x2.
function drawStub(x1, y1, x2, fate, i) {
  const toward = Math.sign(x2 - x1), flat = fate === Unreachable;
  const x = flat ? x1 + toward * Math.min(44, view.lane * .4) : x2 - toward * view.lane * .4;
  const y = y1 + (flat ? 0 : Math.min(view.zoom, 24) * .8);
  line(x1, y1, x, y, i);
  if (!fate) return arrowHead(x1, y1, x, y, true);
  if (!flat) return crosses.push([x, y, pen.globalAlpha]);
  pen.setLineDash([]);
  Object.assign(pen, { lineWidth: 3, strokeStyle: colors.cut });
  stroke(x, y - 6, x, y + 6);
}

// drawReply draws the way back of an answer from x1 to x2.
function drawReply(x1, y1, x2, y2, fate, i) {
  if (fate !== Delivered && fate !== Late && fate !== Ignored) return drawStub(x1, y1, x2, fate && ReplyLost, i);
  const x = fate === Ignored ? x2 - Math.sign(x2 - x1) * 9 : x2;
  line(x1, y1, x, y2, i);
  if (fate !== Ignored) return arrowHead(x1, y1, x, y2, true);
  pen.setLineDash([]);
  circle((x + x2) / 2, y2, 4.5);
  pen.stroke();
}

// drawOperation draws an operation of a client as a bar.
function drawOperation(call) {
  const begin = run.send[call], end = run.end[call], lane = run.lane[run.first[call]];
  if (!(lane in view.place)) return;
  const top = begin < 0 ? headHeight : heightOf(begin), bottom = end < 0 ? top + view.zoom : heightOf(end);
  const shape = [xOf(lane) + bandAt + 4, top, bandWidth - 8, Math.max(bottom - top, 2)];
  Object.assign(pen, { globalAlpha: faded(run.first[call]) ? .3 : 1, fillStyle: colors.faint, lineWidth: run.of[view.selected] === call ? 2.5 : 1.2,
    strokeStyle: end >= 0 && !(run.flags[end] & OK) ? colors.bad : colors.soft });
  pen.setLineDash(end < 0 ? [3, 3] : []);
  pen.fillRect(...shape);
  pen.strokeRect(...shape);
}
