// What led to the violation, and the last elections.

// pastItem is an event as an item of a list.
function pastItem(i) {
  const item = link(i, ""), reply = run.kind[i] === End && run.fate[i] === Delivered ? " to " + nameOf(run.of[i]) : "";
  item.append(...[time(run.at[i]), run.lane[i] >= 0 ? laneName(run.lane[i]) : "", label(i) + reply].map((words) => make("span", {}, words)));
  return make("li", {}, item);
}

// showPast lists the causal past of the violation, in order.
function showPast() {
  const past = [], most = 150, section = $("led"), list = make("ol", { className: "events" });
  for (let i = 0; i < run.n; i++) if (run.flags[i] & Past) past.push(i);
  if (run.violation < 0 || past.length < 2) return;
  let from = past.length;
  const more = make("button", { type: "button", onclick: () => {
    const end = from;
    from = Math.max(end - most, 0);
    list.prepend(...past.slice(from, end).map(pastItem));
    more.hidden = from === 0;
  } }, "Earlier ones");
  more.onclick();
  section.hidden = $("pastswitch").hidden = false;
  $("past").checked = view.past = true;
  section.firstElementChild.textContent = "What led to it: " + past.length + " events";
  section.lastElementChild.replaceChildren(more, list);
}

// showElections lists the last elections, the latest first. They are open if nothing else explains the failure.
function showElections() {
  const section = $("elections"), most = 12;
  section.hidden = !run.elections.length;
  section.open = run.violation >= 0 && $("led").hidden;
  section.lastElementChild.replaceChildren(...run.elections.slice(-most).reverse().map((election) => make("div", { className: "election" },
    link(election.event, laneName(election.lane) + (election.name ? ", " + election.name : "") + ", term " + election.term), ": ",
    make("b", { className: election.outcome.startsWith("won") ? "good" : "bad" }, election.outcome),
    make("ul", {}, ...(election.votes || []).map((vote) => make("li", {}, laneName(vote.lane) + ": ",
      vote.event >= 0 ? link(vote.event, vote.text) : vote.text))))));
}
