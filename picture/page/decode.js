// The files of this directory make one module script, in any order. This one decodes the data of the page.

// Kinds, roles, fates and flags have the numbers of package picture.
const [Start, Crash, State, Commit, Apply, Snapshot, Save, Log, Send, Receive, Answer, End, Link, Net, Step, Invoke, Return,
  Note, Violation] = Array.from({ length: 19 }, (_, k) => k + 1);
const [NoRole, Follower, Candidate, Leader] = [0, 1, 2, 3];
const [Delivered, Late, RequestLost, ReplyLost, Unreachable, CutOff, Ignored] = [1, 2, 3, 4, 5, 6, 7];
const OK = 1, Up = 2, Folded = 4, Past = 8, Named = 16, Same = 32; // flags; Same is a State that repeats the one before it

// run is what the page is about. Each field of an event is a column, so that a million events stay small.
const run = {};

const columns = {
  at: Float64Array, kind: Uint8Array, lane: Int16Array, peer: Int16Array, call: Float64Array, term: Float64Array,
  index: Float64Array, last: Float64Array, role: Uint8Array, fate: Uint8Array, flags: Uint8Array, name: Int32Array,
  text: Int32Array, detail: Int32Array,
};

// bytesOf decodes base64.
const bytesOf = (base64) => Uint8Array.fromBase64 ? Uint8Array.fromBase64(base64) : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// decode fills run from the text of the element "data".
async function decode(base64) {
  const stream = new Blob([bytesOf(base64.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = await new Response(stream).json();
  for (const name in columns) run[name] = new columns[name](data.events[name] || []);
  delete data.events;
  Object.assign(run, data, { lanes: data.lanes || [], elections: data.elections || [], n: run.kind.length });
  for (let i = 1; i < run.n; i++) run.at[i] += run.at[i - 1];
  findCalls();
  findNames();
  findSubjects();
  findStates();
  foldCycles();
  findLinks();
}

// findCalls numbers messages and operations from 0 on. run.of is the number of an event's call or -1; run.send, receive,
// answer and end are the events of a call, or -1, and run.first the first of them; run.from and run.to are its lanes, or -1 if
// they are not known. An operation has its Invoke in send and its Return in end.
function findCalls() {
  const numbers = run.numbers = new Map();
  run.of = new Int32Array(run.n).fill(-1);
  for (let i = 0; i < run.n; i++) {
    const kind = run.kind[i], call = run.call[i];
    if (!call || (kind < Send || kind > End) && kind !== Invoke && kind !== Return) continue;
    if (!numbers.has(call)) numbers.set(call, numbers.size);
    run.of[i] = numbers.get(call);
  }
  run.calls = numbers.size;
  const columnOf = { [Send]: "send", [Receive]: "receive", [Answer]: "answer", [End]: "end", [Invoke]: "send", [Return]: "end" };
  for (const name of ["send", "receive", "answer", "end", "first"]) run[name] = new Int32Array(run.calls).fill(-1);
  for (const name of ["from", "to"]) run[name] = new Int16Array(run.calls).fill(-1);
  for (let i = 0; i < run.n; i++) {
    const call = run.of[i], kind = run.kind[i];
    if (call < 0) continue;
    run[columnOf[kind]][call] = i;
    if (run.first[call] < 0) run.first[call] = i;
    run[kind === Receive || kind === Answer ? "to" : "from"][call] = run.lane[i];
    if (kind === Send) run.to[call] = run.peer[i];
  }
}

// findNames makes run.names, the names of messages from the most frequent one on.
function findNames() {
  const counts = new Map();
  for (let i = 0; i < run.n; i++) if (run.kind[i] === Send) counts.set(run.name[i], (counts.get(run.name[i]) || 0) + 1);
  run.names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
}

// findSubjects works out what the filters ask for: run.about is the term of each event, and run.low to run.high the
// indices that it is about.
function findSubjects() {
  run.about = new Float64Array(run.n);
  run.low = new Float64Array(run.n);
  run.high = new Float64Array(run.n);
  const now = run.lanes.map((lane) => ({ ...lane.before }));
  for (let i = 0; i < run.n; i++) {
    const kind = run.kind[i], state = now[run.lane[i]], call = run.of[i];
    const source = call >= 0 && kind !== Send ? run.send[call] : i;
    if (kind === State && state) state.term = run.term[i];
    run.about[i] = run.term[i] || source >= 0 && run.term[source] || (state ? state.term : 0);
    if (source >= 0) [run.low[i], run.high[i]] = [run.index[source], run.last[source] || run.index[source]];
    if (kind === Log) run.high[i] = run.index[i] + Math.max(entriesOf(i).length, 1) - 1;
    if (kind === Commit && state) {
      run.low[i] = Math.min(state.commit + 1, run.index[i]);
      state.commit = run.index[i];
    }
    if (kind === Snapshot) run.low[i] = Math.min(1, run.index[i]);
    if (kind === Start && state) Object.assign(state, { commit: 0, term: 0 });
  }
}

// entriesOf is the entries of a Log event, each a pair of a term and the number of a string.
const entriesOf = (i) => run.entries[i] || [];
