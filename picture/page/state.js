// What the events tell of a server: its state at any instant, its bands, and its links.

// findStates makes, for each lane, the list of the events that change its state, and its bands: the stretches of one term
// and one role. A band begins at event first, or before all events if that is -1.
function findStates() {
  run.changes = run.lanes.map(() => []);
  run.bands = run.lanes.map((lane) => ({ first: [-1], up: [lane.before.up], term: [lane.before.term], role: [lane.before.role] }));
  for (let i = 0; i < run.n; i++) {
    const lane = run.lane[i], kind = run.kind[i];
    if (lane < 0 || kind > Log || kind === Save) continue;
    run.changes[lane].push(i);
    const bands = run.bands[lane], last = bands.first.length - 1;
    const now = kind === State ? { term: run.term[i], role: run.role[i], up: true } :
      kind === Start || kind === Crash ? { term: 0, role: NoRole, up: kind === Start } : null;
    const same = now && kind === State && now.term === bands.term[last] && now.role === bands.role[last] && bands.up[last];
    if (same && bands.leader === run.peer[i]) run.flags[i] |= Same;
    if (now) bands.leader = run.peer[i];
    if (!now || same) continue;
    bands.first.push(i);
    for (const name in now) bands[name].push(now[name]);
  }
}

// lastAt is the position of the last number that is at most x among the first numbers of a sorted list, or -1.
function lastAt(list, x, count = list.length) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const remembered = []; // for each lane, the state that was asked for last, and how many changes it includes

// stateAt is the state of a lane after event i. Its log holds pairs of a term and the number of a string, from base+1 on.
function stateAt(lane, i) {
  const changes = run.changes[lane], count = lastAt(changes, i) + 1;
  let memory = remembered[lane];
  if (!memory || memory.count > count) {
    const before = run.lanes[lane].before;
    memory = remembered[lane] = { count: 0, state: { ...before, log: (before.log || []).slice() } };
  }
  for (; memory.count < count; memory.count++) change(memory.state, changes[memory.count]);
  return memory.state;
}

// change applies an event to a state, as state.apply does in package picture.
function change(state, i) {
  const index = run.index[i];
  switch (run.kind[i]) {
    case Start:
      Object.assign(state, { up: true, term: 0, role: NoRole, leader: -1, commit: 0, applied: 0, snapshot: 0, base: 0, log: [] });
      break;
    case Crash:
      Object.assign(state, { up: false, role: NoRole, leader: -1 });
      break;
    case State:
      Object.assign(state, { up: true, term: run.term[i], role: run.role[i], leader: run.peer[i] });
      break;
    case Commit:
    case Apply:
      state[run.kind[i] === Commit ? "commit" : "applied"] = index;
      break;
    case Snapshot:
      state.snapshot = Math.max(state.snapshot, index);
      state.log.splice(0, Math.max(0, index - state.base));
      state.base = Math.max(state.base, index);
      break;
    case Log:
      if (index <= state.base || index > state.base + state.log.length + 1) {
        state.base = Math.max(index - 1, 0);
        state.log = [];
      }
      state.log.length = Math.max(index - 1 - state.base, 0);
      for (const entry of entriesOf(i)) state.log.push(entry);
  }
}

// findLinks makes, for each lane, the stretches in which the same of its links are cut. A stretch begins at event first; cut
// is the lanes that its messages cannot reach; alone says that no message passes in either direction.
function findLinks() {
  const servers = run.lanes.filter((lane) => !lane.client).length;
  const down = run.lanes.map((lane) => new Set(lane.before.cut));
  const alone = (lane) => servers > 1 && !run.lanes[lane].client && down[lane].size >= servers - 1 &&
    down.every((set, other) => other === lane || run.lanes[other].client || set.has(lane));
  run.links = run.lanes.map((_, lane) => ({ first: [-1], cut: [[...down[lane]].sort((a, b) => a - b)], alone: [alone(lane)] }));
  for (let i = 0; i < run.n; i++) {
    const from = run.lane[i], to = run.peer[i];
    if (run.kind[i] !== Link || !down[from] || !down[to]) continue;
    if (run.flags[i] & Up) down[from].delete(to);
    else down[from].add(to);
    for (const lane of [from, to]) {
      const links = run.links[lane], last = links.first.length - 1, now = alone(lane);
      if (lane === to && now === links.alone[last]) continue;
      links.first.push(i);
      links.cut.push([...down[lane]].sort((a, b) => a - b));
      links.alone.push(now);
    }
  }
}

// common is the entry, as a string, that most of the given servers have at an index, and how many have one there at all.
function common(states, index) {
  const counts = new Map();
  let most = null, all = 0;
  for (const state of states) {
    const key = entryKey(state, index);
    if (key === null) continue;
    all++;
    counts.set(key, (counts.get(key) || 0) + 1);
    if (most === null || counts.get(key) > counts.get(most)) most = key;
  }
  return { most, all };
}

// entryAt is the entry of a state's log at an index, if there is one, and entryKey tells entries of one index apart.
const entryAt = (state, index) => state.log[index - state.base - 1];
const entryKey = (state, index) => entryAt(state, index) ? entryAt(state, index).join(" ") : null;
