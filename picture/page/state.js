// What the events tell of a server: its state at any instant, its bands, and its links.

// findStates makes, for each lane, the list of the events that change its state, and its bands: the stretches of one term
// and one role. A band begins at event first, or before all events if that is -1.
function findStates() {
  run.changes = run.lanes.map(() => []);
  run.bands = run.lanes.map((lane) => ({ first: [-1], up: [lane.before.up], term: [lane.before.term], role: [lane.before.role] }));
  for (let i = 0; i < run.n; i++) {
    const lane = run.lane[i], kind = run.kind[i];
    if (lane < 0 || kind > Log && kind !== Answer) continue;
    run.changes[lane].push(i);
    if (kind > Log) continue;
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

// foldCycles takes out of the causal past all but the first crash and the last start of a server that starts only to crash
// again. run.again is how often the server of such a start has started.
function foldCycles() {
  const lists = run.lanes.map(() => []);
  run.again = new Map();
  for (let i = 0; i < run.n; i++) {
    const lane = run.lane[i], kind = run.kind[i];
    if (lane < 0 || !(run.flags[i] & Past)) continue;
    const list = lists[lane], [first, start, crash] = list.slice(-3);
    list.push(i);
    if (kind !== Start || run.kind[first] !== Crash || run.kind[start] !== Start || run.kind[crash] !== Crash) continue;
    for (const k of list.splice(-3, 2)) run.flags[k] &= ~Past;
    run.again.set(i, (run.again.get(start) || 1) + 1);
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
    memory = remembered[lane] = { count: 0, state: { ...before, vote: "", done: new Map(), log: (before.log || []).slice() } };
  }
  for (; memory.count < count; memory.count++) change(memory.state, changes[memory.count]);
  return memory.state;
}

// change applies an event to a state, as state.apply does in package picture. Besides, vote is whom the server has voted for in
// its term, as far as events tell, and done the number of the command that it has applied last at each index.
function change(state, i) {
  const index = run.index[i], term = run.term[i], role = run.role[i];
  switch (run.kind[i]) {
    case Start: return Object.assign(state, { up: true, term: 0, role: NoRole, leader: -1, vote: "", commit: 0, applied: 0, snapshot: 0, base: 0, log: [] });
    case Crash: return Object.assign(state, { up: false, role: NoRole, leader: -1 });
    case State:
      if (role === Candidate || term !== state.term) state.vote = role === Candidate ? laneName(run.lane[i]) : "";
      return Object.assign(state, { up: true, term, role, leader: run.peer[i] });
    case Commit: return Object.assign(state, { commit: index });
    case Apply: return Object.assign(state, { applied: index, done: state.done.set(index, run.text[i]) });
    case Save: case Answer: {
      const vote = /^votes for (.+)$|, vote for (.+?)(?:,|$)/.exec(string(run.text[i]));
      return Object.assign(state, vote && { vote: vote[1] || vote[2] });
    }
    case Snapshot:
      state.log.splice(0, Math.max(0, index - state.base));
      return Object.assign(state, { snapshot: Math.max(state.snapshot, index), base: Math.max(state.base, index) });
    case Log:
      if (index <= state.base || index > state.base + state.log.length + 1) Object.assign(state, { base: Math.max(index - 1, 0), log: [] });
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

// entryAt is the entry of a state's log at an index, if there is one, and doneAt the command that it has applied there.
const entryAt = (state, index) => state.log[index - state.base - 1];
const doneAt = (state, index) => string(state.done.get(index) || 0);

// sameCommand reports whether two texts may be of one command. Long texts were cut.
const sameCommand = (a, b) => a === b || [[a, b], [b, a]].some(([cut, whole]) => / bytes\)$/.test(cut) && whole.startsWith(cut.replace(/… \(\d+ bytes\)$/, "")));

// compare tells what the servers have at an index. wrong says in words why the entry of a state is not right: it differs from
// what most servers have there, or from what one has applied; applied is the commands that were applied. A snapshot that was
// applied says nothing of commands.
function compare(states, index) {
  let first, done, same = true;
  for (const state of states) { // nearly always, all have the same
    const entry = entryAt(state, index), command = state.done.get(index);
    first ??= entry;
    done ??= command;
    same &&= (!entry || entry[0] === first[0] && entry[1] === first[1]) && (command === undefined || command === done);
  }
  if (same && (!first || done === undefined || done === first[1])) return { same, applied: [], wrong: () => "" };
  const counts = new Map(), applied = [...new Set(states.map((state) => doneAt(state, index)))].filter((words) => words && words !== "a snapshot");
  for (const key of states.map((state) => (entryAt(state, index) || []).join(" "))) if (key) counts.set(key, (counts.get(key) || 0) + 1);
  const best = Math.max(...counts.values()), usual = [...counts.keys()].filter((key) => counts.get(key) === best);
  const wrong = (state) => {
    const entry = entryAt(state, index), other = entry && applied.find((words) => !sameCommand(words, string(entry[1])));
    if (other) return "applied there: " + other;
    return entry && counts.size > 1 && (usual.length > 1 || entry.join(" ") !== usual[0]) ? "others have another entry" : "";
  };
  return { same: applied.length < 2 && !states.some(wrong), applied, wrong };
}
