// Rows: which events are shown, and where.

// filter is what the user has chosen not to see.
const filter = { lanes: new Set(), names: new Set(), kinds: new Set(), from: NaN, to: NaN, index: NaN };
const opened = { all: false, events: null }; // folded events that were unfolded
const rows = { count: 0 };
const blockSize = 256;

function filtering() {
  const { lanes, names, kinds, from, to, index } = filter;
  return lanes.size + names.size + kinds.size > 0 || ![from, to, index].every(isNaN);
}

// hides reports whether the filter hides event i.
function hides(i) {
  const kind = run.kind[i], lane = run.lane[i], call = run.of[i];
  if (lane < 0 || kind === Violation) return filter.kinds.has(kind);
  if (filter.lanes.has(lane)) return true;
  if (kind >= Send && kind <= End) {
    if (call >= 0 && (filter.lanes.has(run.from[call]) || filter.lanes.has(run.to[call]) || filter.names.has(run.name[run.first[call]]))) return true;
  } else if (filter.kinds.has(kind === Return ? Invoke : kind)) return true;
  if (run.about[i] < filter.from || run.about[i] > filter.to) return true;
  return filter.index < run.low[i] || filter.index > run.high[i];
}

// beside reports whether event i is folded because it did not lead to the violation.
const beside = (i) => view.past && !(run.flags[i] & Past) && run.kind[i] !== Violation;

// folded reports whether event i is folded, and isFold whether a row stands for such events.
const folded = (i) => !opened.events[i] && ((run.flags[i] & Folded) !== 0 && !opened.all || beside(i));
const isFold = (row) => folded(rows.event[row]);

// arrange gives each event that is shown a row. rows.of is the row of an event; a hidden event has that of the one before it.
// A row has its first and its last event in rows.event and rows.last, the number of its events in rows.size, and its middle
// in rows.y. Events that are folded, and links that change at once, share a row.
function arrange() {
  if (!opened.events) opened.events = new Uint8Array(run.n);
  const some = filtering();
  for (const name of ["of", "event", "last", "size"]) rows[name] = new Int32Array(run.n);
  Object.assign(rows, { y: new Float64Array(run.n), hidden: new Uint8Array(run.n) });
  let row = -1, foldedRow = false, before = 0, end = 0; // end is the time of the last event in the row, and before its height
  for (let i = 0; i < run.n; i++) {
    if (some && hides(i)) {
      rows.hidden[i] = 1;
      rows.of[i] = Math.max(row, 0);
      continue;
    }
    const fold = folded(i);
    const joins = row >= 0 && (fold && foldedRow || run.kind[i] === Link && run.kind[rows.event[row]] === Link && run.at[i] === end);
    if (!joins) {
      row++;
      rows.event[row] = i;
      const height = fold ? .6 : run.kind[i] === Violation ? 2 : 1;
      if (row > 0) rows.y[row] = rows.y[row - 1] + (height + before) / 2 + extra(run.at[i] - end);
      [before, foldedRow] = [height, fold];
    }
    rows.size[row]++;
    rows.last[row] = i;
    rows.of[i] = row;
    end = run.at[i];
  }
  rows.count = row + 1;
  rows.total = rows.count ? rows.y[rows.count - 1] : 0;
  findSpans();
}

// extra is the room for a stretch of time in which nothing is shown, in rows.
const extra = (ns) => ns < 1e6 ? 0 : Math.min(2.4, .24 * Math.log2(1 + ns / 1e6));

// findSpans makes rows.spans: for the first row of each block, the calls that begin before it and end in or after it. A
// frame draws them besides those that begin in its rows. A call is looked for in at most mostBlocks blocks.
function findSpans() {
  const blocks = Math.ceil(rows.count / blockSize) + 1, mostBlocks = 400;
  rows.spans = Array.from({ length: blocks }, () => []);
  for (let call = 0; call < run.calls; call++) {
    const first = run.first[call];
    if (rows.hidden[first]) continue;
    let last = first;
    for (const name of ["receive", "answer", "end"]) last = Math.max(last, run[name][call]);
    const from = Math.floor(rows.of[first] / blockSize) + 1, to = Math.floor(rows.of[last] / blockSize);
    for (let block = from; block <= to && block < from + mostBlocks; block++) rows.spans[block].push(call);
  }
}

// rowAt is the last row at or above a height, counted in rows, or the first row.
const rowAt = (y) => Math.max(lastAt(rows.y, y, rows.count), 0);

// foldWords counts what a row of folded events stands for.
function foldWords(row) {
  let sent = 0, others = 0;
  for (let i = rows.event[row]; i <= rows.last[row]; i++) {
    if (rows.hidden[i]) continue;
    if (run.kind[i] === Send) sent++;
    if (!(run.flags[i] & Folded)) others++;
  }
  const count = others || !sent ? rows.size[row] : sent;
  return count + (others || !sent ? " event" : " heartbeat") + (count > 1 ? "s" : "");
}

// unfold gives each event of a row of folded ones a row.
function unfold(row) {
  opened.events.fill(1, rows.event[row], rows.last[row] + 1);
  arrange();
}

// search is the events that contain a text, among those that the filter shows.
function search(text) {
  text = text.trim().toLowerCase();
  const found = [];
  if (!text) return found;
  const has = (words) => words.toLowerCase().includes(text);
  const inStrings = Uint8Array.from(run.strings, (words) => has(words) ? 1 : 0);
  const inKinds = kindNames.map(has), inRoles = roleNames.map(has);
  const term = /^term (\d+)$/.exec(text), number = /^#(\d+)$/.exec(text);
  for (let i = 0; i < run.n; i++) {
    if (rows.hidden[i]) continue;
    const kind = run.kind[i], hit = number ? i === Number(number[1]) : term ? run.about[i] === Number(term[1]) :
      inStrings[run.name[i]] || inStrings[run.text[i]] || inStrings[run.detail[i]] || inKinds[kind] ||
      kind === State && inRoles[run.role[i]] || kind === Log && entriesOf(i).some((entry) => inStrings[entry[1]]);
    if (hit) found.push(i);
  }
  return found;
}
