// The panel: the selected event, and the servers at its instant. Texts of the run become text nodes, never HTML.

// make makes an element with properties and children, of which null stands for none.
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

// link is a link to an event.
const link = (i, words) => make("a", { href: "#e" + i }, words);

// headline says what an event is.
function headline(i) {
  const call = run.of[i], lane = laneName(run.lane[i]), row = rows.of[i];
  if (folded(i) && !rows.hidden[i]) return foldWords(row) + ", folded";
  switch (run.kind[i]) {
    case Send: return nameOf(call) + " from " + lane + " to " + laneName(run.to[call]);
    case Receive: return lane + " receives " + nameOf(call) + " from " + laneName(run.from[call]);
    case Answer: return lane + " answers " + nameOf(call) + " of " + laneName(run.from[call]);
    case End: return nameOf(call) + " of " + lane + " to " + laneName(run.to[call]) + " ends";
    case Link: return rows.size[row] > 1 ? linkWords(rows.event[row], rows.size[row]) : label(i);
    case Violation: return string(run.name[i]) || "Violation";
    case Invoke: case Return: return lane + ": " + label(i);
    default: return (run.lane[i] >= 0 ? lane + ": " : "") + label(i);
  }
}

// showEvent shows what is known of the selected event.
function showEvent() {
  const i = view.selected, box = $("event");
  $("servers").hidden = true;
  if (i < 0) return box.replaceChildren(make("p", { className: "soft" }, "Nothing is selected. Click an event or an arrow, or press j."));
  const kind = run.kind[i], call = run.of[i], detail = string(run.detail[i]), title = headline(i);
  const message = call >= 0 && kind >= Send && kind <= End;
  box.replaceChildren(make("div", {},
    make("h2", { className: kind === Violation ? "bad" : "" }, title),
    make("p", { className: "when" }, time(run.at[i]) + " s, " + (kindNames[kind] || "event") + ", ", link(i, "event " + i),
      kind === Violation ? ["", run.lane[i] >= 0 && laneName(run.lane[i]), run.term[i] && "term " + run.term[i],
        run.index[i] && "index " + run.index[i]].filter((words) => words || words === "").join(", ") : ""),
    rows.hidden[i] ? make("p", { className: "bad" }, "The filter hides this event.") : null,
    folded(i) ? make("p", {}, "Enter unfolds them.") : null,
    ...(message ? aboutMessage(call) : call >= 0 ? aboutOperation(call) : aboutOther(i)),
    !message && detail ? make("pre", {}, detail) : null));
  $("live").textContent = time(run.at[i]) + " s: " + title;
  for (const a of document.querySelectorAll("#panel a[aria-current]")) a.removeAttribute("aria-current");
  for (const a of document.querySelectorAll('#panel ol a[href="#e' + i + '"]')) {
    a.setAttribute("aria-current", "true");
    const list = a.closest("ol");
    list.scrollTop = a.offsetTop - list.offsetTop - list.clientHeight / 2;
  }
  showServers(i);
}

// moment is a link to an event of a message, with its time or how long after the sending it was.
function moment(call, column, name) {
  const i = run[column][call], sent = run.send[call];
  return i < 0 ? [] : [", " + name + " ", link(i, sent >= 0 && i !== sent ? "+" + span(run.at[i] - run.at[sent]) : time(run.at[i]) + " s")];
}

function aboutMessage(call) {
  const send = run.send[call], answer = run.answer[call], fate = fateOf(call);
  const out = [send >= 0 ? make("p", {}, request(call)) : make("p", { className: "soft" }, "It was sent before the first event of this page.")];
  if (answer >= 0) out.push(make("p", { className: refused(call) ? "bad" : "good" }, "Answer: " + answerWords(answer)));
  out.push(make("p", {}, make("span", { className: fate > Late ? "bad" : "" }, fateNames[fate]), ...moment(call, "send", "sent"),
    ...moment(call, "receive", "received"), ...moment(call, "answer", "answered"), ...moment(call, "end", "ended")));
  const details = [["Arguments", send], ["Reply", answer]].filter(([, i]) => i >= 0 && run.detail[i]);
  return [...out, make("div", { className: "two" }, ...details.map(([name, i]) => make("div", {}, make("b", {}, name),
    make("pre", { tabIndex: 0, id: name.toLowerCase() }, string(run.detail[i])))))];
}

function aboutOperation(call) {
  const begin = run.send[call], end = run.end[call];
  return [make("p", {}, begin >= 0 ? string(run.text[begin]) : "It began before the first event of this page"),
    make("p", { className: end < 0 ? "" : run.flags[end] & OK ? "good" : "bad" }, end < 0 ? "has not ended" : label(end)),
    make("p", {}, "operation", ...moment(call, "send", "began"), ...moment(call, "end", "ended"))];
}

function aboutOther(i) {
  const kind = run.kind[i], text = string(run.text[i]), message = kind === Violation ? run.numbers.get(run.call[i]) : undefined;
  const entries = kind === Log ? entriesOf(i) : [], most = 50;
  return [
    text && text.length > 20 && ![Step, Net, Violation].includes(kind) ? make("p", {}, text) : null,
    message === undefined ? null : make("p", {}, link(run.first[message], request(message))),
    entries.length ? make("pre", { tabIndex: 0 }, entries.slice(0, most).map((entry, k) =>
      run.index[i] + k + "  term " + entry[0] + "  " + string(entry[1])).join("\n") +
      (entries.length > most ? "\n… " + (entries.length - most) + " more" : "")) : null,
  ];
}

// showServers shows the state of every server after event i as a table, with a column for each server.
function showServers(i) {
  const servers = run.lanes.map((_, lane) => lane).filter((lane) => !run.lanes[lane].client);
  const states = servers.map((lane) => stateAt(lane, i)), short = (name) => name.replace(/^server /, "");
  const here = (k) => servers[k] === run.lane[i] ? "here" : "";
  const facts = { role: (state) => state.up ? (["?", "follower", "candid.", "LEADER"][state.role] || "?").slice(0, servers.length > 5 ? 4 : 8) : "down", term: (state) => state.term,
    vote: (state) => short(state.vote), leader: (state) => state.leader >= 0 ? shortName(state.leader) : "–", commit: (state) => state.commit,
    applied: (state) => state.applied, snapshot: (state) => state.snapshot || "", last: lastEntry };
  const head = make("tr", {}, make("td", {}), ...servers.map((lane, k) => make("th", { scope: "col", className: here(k), title: laneName(lane) }, shortName(lane))));
  const rowsOf = (name) => states.some((state) => facts[name](state) !== "") ? [make("tr", {}, make("th", { scope: "row" }, name),
    ...states.map((state, k) => make("td", { className: here(k) }, String(facts[name](state) || (facts[name](state) === 0 ? 0 : "–")))))] : [];
  const body = make("tbody", {}, ...Object.keys(facts).flatMap(rowsOf),
    make("tr", { className: "logs" }, make("th", { colSpan: servers.length + 1 }, "Logs: term and command at each index")),
    ...logRows(states, i, here));
  $("servers").hidden = !servers.length;
  $("servers").lastElementChild.replaceChildren(
    make("div", { className: "scroll" }, make("table", {}, make("thead", {}, head), body)),
    make("p", { className: "soft" }, "● applied, ✓ committed, as this server knows; ≠ differs from others, or from what was applied there; " +
      "underlined: changed by the selected event; ◆ in the snapshot. vote: for whom in this term; last: index/term."));
}

// lastEntry is the index and, if it is known, the term of the last entry of a state's log.
function lastEntry(state) {
  const end = state.base + state.log.length;
  return end + (state.log.length ? "/" + state.log[state.log.length - 1][0] : "");
}

// interesting is the indices worth a row: those around which logs end, are committed or differ, or that the event is about.
function interesting(states, i) {
  const found = new Set(), most = 5000, base = Math.min(...states.map((state) => state.base)), ends = states.map((state) => state.base + state.log.length), high = Math.max(...ends, 0);
  for (const index of [...ends, ...states.flatMap((state) => [state.commit, state.applied]), run.index[i]]) {
    if (index) found.add(index).add(index + 1);
  }
  for (let k = 0, limit = found.size + 12; k < Math.min(most, high) && found.size < limit; k++) { // an index may be too large to count down
    if (!compare(states, high - k).same) found.add(high - k);
  }
  for (const index of [...found]) if (index - 2 === base || found.has(index - 2)) found.add(index - 1); // rather than "… 1 more"
  return [...found].filter((index) => index >= 1 && index <= high).sort((a, b) => a - b);
}

function logRows(states, i, here) {
  const out = [], most = states.length > 3 ? 5 : 11; // characters of a command
  const row = (name, cell) => out.push(make("tr", { className: "log" }, make("th", { scope: "row" }, name), ...states.map(cell)));
  let before = Math.min(...states.map((state) => state.base));
  for (const index of interesting(states, i)) {
    const count = index - before - 1, { wrong, applied } = compare(states, index);
    if (count > 0) out.push(make("tr", {}, make("td", { colSpan: states.length + 1, className: "none" }, "… " + count + " more")));
    before = index;
    row(String(index), (state, k) => logCell(state, index, i, wrong(state), here(k), most));
    if (applied.length < 2) continue;
    row("applied", (state, k) => make("td", { className: here(k) + (doneAt(state, index) ? " differs" : ""), title: doneAt(state, index) }, middle(doneAt(state, index), most)));
  }
  return out;
}

function logCell(state, index, i, wrong, here, most) {
  const entry = entryAt(state, index);
  if (!entry) return make("td", { className: "none " + here }, index <= state.base && state.snapshot >= index ? "◆" : "");
  const words = string(entry[1]), changed = run.kind[i] === Log && here && index >= run.index[i] && index < run.index[i] + entriesOf(i).length;
  const mark = index <= state.applied ? "●" : index <= state.commit ? "✓" : "";
  return make("td", { className: [here, index <= state.commit ? "committed" : "", wrong ? "differs" : "", changed ? "changed" : ""].join(" "),
    title: index + ": term " + entry[0] + ", " + words + (wrong ? "; " + wrong : "") }, mark, make("b", {}, String(entry[0])), " " + middle(words, most));
}
