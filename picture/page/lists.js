// What led to the violation, and the last elections.

// pastItem is an event as an item of a list.
function pastItem(i) {
  const item = link(i, ""), to = run.kind[i] === End && run.fate[i] === Delivered && !run.text[i] ? " to " + nameOf(run.of[i]) : "";
  item.append(...[time(run.at[i]), run.lane[i] >= 0 ? laneName(run.lane[i]) : "", label(i) + to].map((words) => make("span", { title: words }, words)));
  return make("li", { className: run.flags[i] & Named ? "named" : "" }, item);
}

// showPast lists the causal past of the violation, in order.
function showPast() {
  const past = [], section = $("led");
  for (let i = 0; i < run.n; i++) if (run.flags[i] & Past) past.push(i);
  if (run.violation < 0 || past.length < 2) return;
  section.hidden = $("pastswitch").hidden = false;
  $("past").checked = view.past = true;
  section.firstElementChild.textContent = "What led to it: " + past.length + " events";
  section.lastElementChild.replaceChildren(make("ol", { className: "events" }, ...past.map(pastItem)));
}

// showViolation fills the banner: the rule, four of the events that the violation names, of as many kinds as there are, and
// when it was noticed if the page opens at another event.
function showViolation() {
  const v = run.violation, kinds = [Answer, Apply, Crash, State, Commit, Log], rank = (i) => kinds.indexOf(run.kind[i]), named = [];
  $("jump").hidden = $("banner").hidden = v < 0;
  if (v < 0) return;
  $("rule").textContent = string(run.name[v]);
  $("broken").textContent = string(run.text[v]);
  for (let i = 0; i < v; i++) if (run.flags[i] & Named && run.flags[i] & Past && rank(i) >= 0) named.push(i);
  const seen = kinds.map(() => 0), order = new Map(named.reverse().map((i) => [i, 10 * seen[rank(i)]++ + rank(i)])); // the last of each kind comes first
  const links = named.sort((a, b) => order.get(a) - order.get(b)).slice(0, 4).sort((a, b) => a - b).map((i) => link(i, time(run.at[i]) + " s " + sentence(i)));
  if (run.open !== v) links.push(link(v, "noticed at " + time(run.at[v]) + " s"));
  $("named").replaceChildren(...links.flatMap((a, k) => k ? [" · ", a] : [a]));
}

// showElections lists the last elections, the latest first. They are open, and come first, if nothing else explains the failure.
function showElections() {
  const section = $("elections"), most = 12;
  section.hidden = !run.elections.length;
  section.open = run.violation >= 0 && $("led").hidden;
  if (section.open) $("panel").prepend(section);
  section.lastElementChild.replaceChildren(...run.elections.slice(-most).reverse().map((election) => make("div", { className: "election" },
    link(election.event, laneName(election.lane) + (election.name ? ", " + election.name : "") + ", term " + election.term), ": ",
    make("b", { className: election.outcome.startsWith("won") ? "good" : "bad" }, election.outcome),
    make("ul", {}, ...(election.votes || []).map((vote) => make("li", {}, laneName(vote.lane) + ": ",
      vote.event >= 0 ? link(vote.event, vote.text) : vote.text))))));
}

// showNotes says what the page could not tell, behind one line.
function showNotes() {
  const { notes, omitted } = run, derived = notes.some((note) => /derived|known only from/.test(note));
  const count = notes.length ? (derived ? "Derived from messages: " : "") + notes.length + (notes.length > 1 ? " notes" : " note") : "";
  $("notes").hidden = !notes.length && !omitted;
  $("notes").firstElementChild.textContent = [omitted ? "The first " + omitted + " events were left out" : "", count].filter(Boolean).join(". ");
  $("notes").lastElementChild.replaceChildren(...notes.map((note) => make("p", {}, note)));
}
