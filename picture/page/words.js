// Words for events.

const roleNames = ["", "follower", "candidate", "leader"];
const kindNames = ["", "start", "crash", "term or role", "commit", "apply", "snapshot", "save", "log", "request sent", "request received",
  "answer", "reply", "links", "network", "step of the test", "operation begins", "operation ends", "note", "violation"];
const fateNames = ["not ended", "delivered", "delivered late", "the request was lost", "the reply was lost",
  "there was no link to the receiver", "cut off before the reply arrived", "the reply came too late and was thrown away"];

// string is the text with a number. Control characters would move or hide text around them.
function string(k) {
  return (run.strings[k] || "").replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

// shortName is the name of a lane for a narrow place: the number of a server.
const laneName = (lane) => run.lanes[lane] ? run.lanes[lane].name : "an unknown lane";
const shortName = (lane) => laneName(lane).replace(/^server /, "");

// time is a number of nanoseconds as seconds, with as many digits as it needs.
function time(ns) {
  const text = (ns / 1e9).toFixed(6);
  return text.endsWith("000") ? text.slice(0, -3) : text.slice(0, -3) + "\u2009" + text.slice(-3);
}

// span is a length of time for people.
function span(ns) {
  if (ns < 1e6) return Math.round(ns / 1e3) + " µs";
  if (ns < 1e9) return Number((ns / 1e6).toPrecision(3)) + " ms";
  return Number((ns / 1e9).toPrecision(3)) + " s";
}

// nameOf is the name of a message, such as RequestVote.
const nameOf = (call) => string(run.name[run.first[call]]) || "message";

// request is what a message says, beginning with its name.
function request(call) {
  const name = nameOf(call), text = string(run.text[run.first[call]]);
  return run.send[call] < 0 ? name : text.startsWith(name) ? text : text ? name + " " + text : name;
}

// fateOf is how a message has ended, or 0, and refused reports whether its receiver has refused it.
const fateOf = (call) => run.end[call] < 0 ? 0 : run.fate[run.end[call]];
const refused = (call) => run.answer[call] >= 0 && !(run.flags[run.answer[call]] & OK);

// brief is the label of an event for a narrow place: of a request without its name, which its dashes and colour tell.
function brief(i) {
  const words = label(i);
  if (run.kind[i] === Violation) return "✗ " + string(run.name[i]).replace(/ \(.*\)$/, "");
  return run.kind[i] !== Send || run.of[i] < 0 ? words : words.replace(nameOf(run.of[i]) + " ", "").replace("last log entry", "last");
}

// sentence is an event as a short sentence, with its lane and without the sign and the middle of long numbers.
function sentence(i) {
  const words = label(i).replace(/^[^\p{L}\p{N}]+ /u, "").replace(/\d{12,}/g, (number) => middle(number, 7)), kind = run.kind[i];
  return laneName(run.lane[i]) + (kind === Start || kind === Crash || kind === Answer && run.flags[i] & OK ? " " : ": ") + words;
}

// middle shortens a text to so many characters by cutting out its middle.
const middle = (words, most) => words.length <= most ? words : words.slice(0, most >> 1) + "…" + words.slice(words.length - (most - 1 >> 1));

function logWords(i) {
  const entries = entriesOf(i), first = run.index[i], count = entries.length;
  if (!count) return "log ends at " + (first - 1);
  const terms = [...new Set(entries.map((entry) => entry[0]))];
  return "log " + first + (count > 1 ? ".." + (first + count - 1) : "") + ", term " + terms.slice(-3).join(", ") +
    (count === 1 ? ": " + string(entries[0][1]) : "");
}

// answerWords is the answer of a message's receiver.
function answerWords(i) {
  const text = string(run.text[i]), reason = text.replace(/^refused:? ?/, "");
  return run.flags[i] & OK ? "✓ " + (text || "accepted") : "✗ " + (reason ? reason + " (refused)" : "refused");
}

// label is an event in a few words, without its lane.
function label(i) {
  const text = string(run.text[i]), index = run.index[i], call = run.of[i];
  switch (run.kind[i]) {
    case Start: return "▶ starts" + (run.again.has(i) ? ", the last of " + run.again.get(i) + " times" : "");
    case Crash: return "■ crashes";
    case State: return "term " + run.term[i] + (roleNames[run.role[i]] ? ", " + roleNames[run.role[i]] : "") +
      (run.role[i] === Follower && run.peer[i] >= 0 ? " of " + laneName(run.peer[i]) : "");
    case Commit: return "✓ commit " + index;
    case Apply: return "● apply " + index + (text ? ": " + text : "");
    case Snapshot: return "◆ snapshot to " + index + (text ? ", " + text : "");
    case Save: return "▤ saved" + (text ? ": " + text.replace(/^saved:? /, "") : "");
    case Log: return "≡ " + logWords(i);
    case Send: return call < 0 ? text : "→" + shortName(run.peer[i]) + " " + request(call);
    case Receive: return "receives " + nameOf(call) + " from " + laneName(run.from[call]);
    case Answer: return answerWords(i);
    case End: return endWords(i);
    case Link: return laneName(run.lane[i]) + (run.flags[i] & Up ? " → " : " ✂ ") + laneName(run.peer[i]);
    case Invoke: return text;
    case Return: return (run.flags[i] & OK ? "✓ " : "✗ ") + text;
    case Violation: return "✗ " + string(run.name[i]) + (text ? ": " + text : "");
    default: return text;
  }
}

function endWords(i) {
  const fate = run.fate[i], text = string(run.text[i]), sign = fate === Delivered ? "" : fate === Late ? "◷ " : "✕ ";
  if (text || !sign) return sign + (text || "reply of " + laneName(run.to[run.of[i]]));
  return sign + fateNames[fate].replace(/^the reply came too late and was /, "reply ") + " (" + nameOf(run.of[i]) + ")";
}

// linkWords describes the links that change in one row: the servers that are alone or no longer alone, or each link.
function linkWords(first, size) {
  const up = [], down = [];
  for (let i = first; i < first + size; i++) {
    if (run.kind[i] === Link) (run.flags[i] & Up ? up : down).push([run.lane[i], run.peer[i]]);
  }
  const part = (links, before, after) => {
    const lone = links.length > 3 ? links[0].find((lane) => links.every((link) => link.includes(lane))) : undefined;
    if (lone !== undefined) return before + laneName(lone) + after;
    return before + links.slice(0, 6).map(([a, b]) => shortName(a) + "→" + shortName(b)).join(" ") + (links.length > 6 ? " and " + (links.length - 6) + " more" : "");
  };
  return [down.length ? part(down, "✂ cut: ", " from all") : "", up.length ? part(up, "joined: ", " to all") : ""].filter(Boolean).join("; ");
}
