// What led to the violation, the last elections, and the legend.

// pastItem is an event as an item of a list.
function pastItem(i) {
  const item = link(i, "");
  item.append(make("span", {}, time(run.at[i])), make("span", {}, run.lane[i] >= 0 ? laneName(run.lane[i]) : ""),
    make("span", {}, run.kind[i] === End && run.of[i] >= 0 ? label(i) + " to " + nameOf(run.of[i]) : label(i)));
  return make("li", {}, item);
}

// showPast lists the causal past of the violation, in order.
function showPast() {
  const past = [], most = 150, box = $("led"), list = make("ol", { className: "events" });
  for (let i = 0; i < run.n; i++) {
    if (run.flags[i] & Past) past.push(i);
  }
  if (run.violation < 0 || past.length < 2) return;
  let from = past.length;
  const more = make("button", { type: "button", onclick: () => {
    const end = from;
    from = Math.max(end - most, 0);
    list.prepend(...past.slice(from, end).map(pastItem));
    more.hidden = from === 0;
  } }, "Earlier ones");
  more.onclick();
  box.hidden = $("pastswitch").hidden = false;
  $("past").checked = view.past = true;
  box.firstElementChild.textContent = "What led to it: " + past.length + " events";
  box.lastElementChild.replaceChildren(more, list);
}

// showElections lists the last elections, the latest first. They are open if nothing else explains the failure.
function showElections() {
  const box = $("elections");
  if (!run.elections.length) return;
  box.hidden = false;
  box.open = $("led").hidden;
  box.lastElementChild.replaceChildren(...run.elections.slice(-12).reverse().map((election) => {
    const lost = !String(election.outcome).startsWith("won");
    return make("div", { className: "election" },
      link(election.event, laneName(election.lane) + (election.name ? ", " + election.name : "") + ", term " + election.term),
      ": ", make("b", { className: lost ? "bad" : "good" }, String(election.outcome)),
      make("ul", {}, ...(election.votes || []).map((vote) => make("li", {}, laneName(vote.lane) + ": ",
        vote.event >= 0 ? link(vote.event, vote.text) : vote.text))));
  }));
}

// showLegend draws an example of each sign.
function showLegend() {
  const box = $("legend"), colors = view.colors, ratio = view.ratio;
  const sign = (words, paint) => {
    const canvas = make("canvas", { width: 56 * ratio, height: 26 * ratio });
    box.append(canvas, make("span", {}, words));
    pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.textBaseline = "middle";
    style = "";
    pen.lineWidth = 1.5;
    pen.strokeStyle = pen.fillStyle = colors.ink;
    paint();
  };
  const old = pen, band = (role, up) => () => drawRole({ up: [true, up], role: [role, role], term: [3, 3], first: [0, 1] }, 17, 0, 26, 1, -9);
  const path = (dash, color, end) => () => {
    pen.setLineDash(dash);
    pen.strokeStyle = pen.fillStyle = color;
    pen.beginPath();
    pen.moveTo(4, 6);
    pen.lineTo(46, 18);
    pen.stroke();
    end();
  };
  box.replaceChildren(make("h2", {}, "Servers"));
  sign("follower in term 3: an outline; each term has a colour", band(Follower, true));
  sign("candidate: hatched", band(Candidate, true));
  sign("leader: solid", band(Leader, true));
  sign("crashed", band(NoRole, false));
  sign("✂ some of its messages cannot pass; the words say to whom", () => {
    pen.fillStyle = hatch(colors.cut, 5, 1.4);
    pen.fillRect(24, 0, 6, 26);
  });
  box.append(make("h2", {}, "Messages"));
  run.names.forEach((name, k) => sign(string(name), path(dashes[k % 4], colors.messages[k % 4], () => arrowHead(4, 6, 46, 18))));
  sign("answer; red if it is a refusal", path([2, 3], colors.ink, () => arrowHead(4, 6, 46, 18, true)));
  sign("lost, or cut off before it arrived", path([], colors.bad, () => cross(46, 18)));
  sign("there was no link to the receiver", path([], colors.cut, () => pen.fillRect(45, 10, 3, 14)));
  sign("reply thrown away, since it came too late", path([2, 3], colors.ink, () => {
    pen.beginPath();
    pen.arc(46, 18, 4, 0, 7);
    pen.stroke();
  }));
  box.append(make("h2", {}, "Marks"));
  for (const [mark, words] of [["✓", "commit, or a granted request"], ["●", "apply"], ["≡", "the log has changed"], ["▤", "saved to disk"],
    ["◆", "snapshot"], ["◷", "delivered late"], ["▷", "step of the test"], ["⋯", "folded heartbeats: click to unfold"]]) {
    sign(words, () => text(mark, 22, 13, colors.ink, 14, true));
  }
  if (run.violation >= 0) sign("led to the violation", () => pen.fillRect(26, 4, 3, 18));
  pen = old;
  style = "";
}
