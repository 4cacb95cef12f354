/* The incident's history: by day, in the order of the log, batches folded. */

const FOLDED = ["delivery.batch_settled", "mail_event.received", "delivery.swept"];
const AT_ONCE = 400;

function historyOf(run, names) {
  const groups = grouped(run.own.filter((one) => one.body !== null));
  const befores = beforeValues(run.own);
  const list = make("div", { class: "history" });
  const more = make("button", { type: "button", class: "btn" });
  let next = 0;
  let day = null;
  const show = (count) => {
    for (const group of groups.slice(next, next + count)) {
      const today = group[0].body.at.slice(0, 10);
      if (today !== day) list.append(make("h3", { class: "day" }, dayWords(today)));
      day = today;
      list.append(group.length > 1 ? foldOf(group, run, names, befores) : eventOf(group[0], run, names, befores));
    }
    next += count;
    more.hidden = next >= groups.length;
    more.textContent = `Show ${told(Math.min(AT_ONCE, groups.length - next))} more of ${told(groups.length)}`;
  };
  show(AT_ONCE);
  more.addEventListener("click", () => show(AT_ONCE));
  addEventListener("beforeprint", () => show(groups.length));
  return make("div", {}, list, make("p", { class: "more" }, more));
}

/* Runs of the same kind of routine event on one day become one line. */
function grouped(entries) {
  const groups = [];
  for (const one of entries) {
    const last = groups[groups.length - 1];
    const before = last?.[0].body;
    const isSame = before && before.type === one.body.type && before.at.slice(0, 10) === one.body.at.slice(0, 10);
    if (isSame && FOLDED.includes(one.body.type)) last.push(one);
    else groups.push([one]);
  }
  return groups;
}

/* For every opened value, the one that the same field of the same object had before. */
function beforeValues(entries) {
  const last = new Map();
  const befores = new Map();
  for (const { body, opened } of entries) {
    if (!opened || !body.object) continue;
    for (const [field, value] of opened) {
      const key = `${body.object.kind}/${body.object.id}/${field}`;
      if (last.has(key)) befores.set(`${body.id}/${field}`, last.get(key));
      last.set(key, value);
    }
  }
  return befores;
}

function eventOf(one, run, names, befores) {
  const isFaulty = run.fault?.n === one.n;
  const details = make("details", { class: "event", id: `entry-${one.n}`, "data-faulty": isFaulty });
  const { body } = one;
  const words = make("span", { class: "what" }, said(sentenceOf(body)), make("span", { class: "paper", "aria-hidden": "true" }, inFours(hex(one.leaf))));
  const place = make("span", { class: "seq" }, isFaulty ? state("alarm", "octagon-x", "fault") : null, `#${told(one.n)}`);
  details.append(summaryOf(body.at.slice(11, 16), actorName(body.actor, names), words, place));
  onFirstOpening(details, () => details.append(detailsOf(one, run, names, befores)));
  return details;
}

function summaryOf(time, who, words, place) {
  return make(
    "summary",
    {},
    make("span", { class: "at" }, time),
    make("span", { class: "who" }, said(who)),
    words,
    place,
    icon("chevron-right"),
  );
}

function onFirstOpening(details, fill) {
  let isFilled = false;
  details.fill = () => {
    if (!isFilled) fill();
    isFilled = true;
  };
  details.addEventListener("toggle", () => details.open && details.fill());
}

function foldOf(group, run, names, befores) {
  const first = group[0].body;
  const last = group[group.length - 1];
  const details = make("details", { class: "event fold" });
  const words = make("span", { class: "what" }, foldWords(group));
  const place = make("span", { class: "seq" }, `#${told(group[0].n)} to #${told(last.n)}`);
  details.append(summaryOf(first.at.slice(11, 16), actorName(first.actor, names), words, place));
  onFirstOpening(details, () => {
    details.append(make("div", { class: "folded" }, ...group.map((one) => eventOf(one, run, names, befores))));
  });
  return details;
}

function foldWords(group) {
  const { type } = group[0].body;
  const sum = (key) => told(group.reduce((all, { body }) => all + (Number(body.data[key]) || 0), 0));
  if (type === "delivery.batch_settled") {
    return (
      `settled ${told(group.length)} batches: ${sum("handed_over")} handed over, ${sum("refused")} refused, ` +
      `${sum("retry_wait")} to try again, ${sum("unknown")} not known, ${sum("blocked")} blocked`
    );
  }
  if (type === "mail_event.received") return `received ${sum("count")} reports from the mail provider`;
  return `swept up ${told(group.length)} times after a stopped worker`;
}

function detailsOf(one, run, names, befores) {
  const { body, entry, n } = one;
  return make(
    "div",
    { class: "inside" },
    valuesOf(one, run, befores),
    carriedOf(body, names),
    facts(
      [
        ["When", moment(body.at, secondWords)],
        ["In the log since", moment(entry.seq_at, secondWords)],
        ["By", body.actor.id === null ? "BreachDesk itself" : body.actor.id],
        ...(body.object ? [["Of", said(`${body.object.kind} ${body.object.id}, version ${body.object.version}`)]] : []),
        ["Place", `Entry ${told(n)} of the log, ${told(entry.inc_n)} of the incident`],
        ["This entry", hash(one.hash)],
        ["Entry before", entry.inc_prev === null ? "None: it is the incident's first" : hash(entry.inc_prev)],
        ["Proof", proofOf(one, run)],
      ],
      names,
      "facts small",
    ),
  );
}

function proofOf(one, run) {
  if (run.fault?.n === one.n) return state("alarm", "octagon-x", run.fault.message);
  if (run.fault) return state(null, "minus", `Not relied on: the check stopped at rule ${run.fault.rule}`);
  const { steps } = one;
  const way = run.bundle.whole ? "its hash is part of the root" : `${told(steps)} hashes lead to the root`;
  const signed = run.missing.includes(NO_ED25519) ? "in the checkpoint; its signature is not checked" : "that was signed";
  return state(run.missing.includes(NO_ED25519) ? null : "good", "check", `${way} ${signed}`);
}

/* What somebody typed: opened, erased, or sealed. With what stood there before, if the bundle opens that too. */
function valuesOf({ body, opened }, run, befores) {
  const fields = Object.keys(body.priv);
  if (fields.length === 0) return null;
  return make("div", { class: "values" }, ...fields.map((field) => {
    const title = make("h4", {}, said(label(field)));
    if (!opened?.has(field)) return make("div", {}, title, make("p", { class: "none" }, sealedWords(body, field, run)));
    const before = befores.get(`${body.id}/${field}`);
    const value = opened.get(field);
    return make("div", {}, title, before === undefined || before === value ? letter(value) : differenceOf(before, value));
  }));
}

function sealedWords(body, field, run) {
  if (run.erased.has(`${body.id}/${field}`)) return "Erased. The log holds only a commitment that nobody can test.";
  if (run.bundle.private) return "Not here: its key was destroyed.";
  return "Sealed: this bundle opens no typed text and nothing that names a person.";
}

const letter = (text) => (text.includes("\n") || text.length > LONG ? make("div", { class: "letter" }, said(text)) : make("p", {}, said(text)));

/* Lines that went and lines that came, by the longest common run of lines. */
function differenceOf(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  if (old.length * now.length > 250_000) return make("div", { class: "diff" }, change("was", before), change("now", after));
  const common = old.map(() => new Uint16Array(now.length + 1)).concat([new Uint16Array(now.length + 1)]);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i][j] = old[i] === now[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const box = make("div", { class: "diff" });
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      box.append(change("same", old[i]));
      i += 1;
      j += 1;
    } else if (j >= now.length || (i < old.length && common[i + 1][j] >= common[i][j + 1])) {
      box.append(change("was", old[i]));
      i += 1;
    } else {
      box.append(change("now", now[j]));
      j += 1;
    }
  }
  return box;
}

function change(kind, text) {
  const words = { was: "Before: ", now: "After: ", same: "" }[kind];
  return make("div", { class: kind }, make("span", { class: "visually-hidden" }, words), make("span", {}, said(text)));
}

/* Codes and counts of the event that its sentence does not tell. */
function carriedOf({ type, data }, names) {
  const inWords = entryOf(EVENTS, type)?.required ?? [];
  const rest = Object.entries(data).filter(([key]) => !inWords.includes(key) && !NAMES_ON_EVERY_EVENT.includes(key));
  return rest.length ? facts(rest, names, "facts small") : null;
}
