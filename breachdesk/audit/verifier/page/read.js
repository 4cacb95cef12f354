/* What a reader sees, from the verdict to the last note. */

const VERDICTS = {
  VALID: { tone: "good", shape: "circle-check-big", title: "Nothing in this record was changed or left out" },
  INVALID: { tone: "alarm", shape: "octagon-x", title: "Do not rely on this record: a check failed" },
  INCOMPLETE: { tone: "still", shape: "circle-dashed", title: "Not everything could be checked" },
};

const byId = (id) => document.getElementById(id);

async function showResult({ run, verdict }) {
  const digests = await digestsIn(run);
  byId("reference").textContent = verdict.reference ?? "";
  byId("reference").hidden = verdict.reference === null;
  showVerdict(run, verdict);
  showHead(run);
  const proof = run.fault ? [checksPart(run), keysPart(run)] : [keysPart(run), provedPart(run, verdict)];
  const record = recordParts(run, digests);
  const rest = run.fault ? [byId("open")] : [byId("open"), checksPart(run)];
  const parts = [...proof, ...record, ...rest].filter(Boolean);
  byId("sections").replaceChildren(...parts);
  showIndex(parts);
  byId("body").hidden = false;
}

function showHead(run) {
  const { bundle } = run;
  const title = run.sections["sections/incident.json"]?.title ?? openedTitle(run);
  const name = run.fault ? `${bundle?.reference}: this record is not proved` : (title ?? `The record of ${bundle?.reference}`);
  byId("title").replaceChildren(bundle ? said(name) : "This file is not a bundle");
  document.title = bundle ? `${bundle.reference}, evidence bundle` : "Evidence bundle";
  byId("subtitle").replaceChildren(
    ...(bundle
      ? [`${told(run.own.length || bundle.entries)} entries, from the log `, said(bundle.origin), ". Bundle made on ", moment(bundle.made_at), "."]
      : ["Choose another file below."]),
  );
}

/* The title the incident had last, when the bundle opens it. */
function openedTitle(run) {
  return run.own.map((one) => (one.body?.type.startsWith("incident.") ? one.opened?.get("title") : null)).filter(Boolean).pop();
}

function showVerdict(run, verdict) {
  const { tone, shape, title } = VERDICTS[verdict.verdict];
  const box = byId("verdict");
  const where = [`Rule ${verdict.rule}`, verdict.n === null ? null : `entry ${told(verdict.n)}`].filter(Boolean).join(", ");
  box.dataset.tone = tone;
  box.replaceChildren(
    icon(shape),
    make("div", {},
      make("p", { class: "word" }, verdict.verdict, verdict.rule === null ? null : make("span", {}, where)),
      make("h2", { id: "verdict-h" }, title),
      make("p", {}, said(verdict.sentence)),
      verdict.missing.length > 1 ? make("ul", {}, ...verdict.missing.slice(1).map((one) => make("li", {}, said(one)))) : null,
      ...verdict.notes.map((note) => make("p", { class: "note" }, said(note))),
    ),
  );
  box.hidden = false;
  byId("said").textContent = `${verdict.verdict}. ${title}.`;
}

function keysPart(run) {
  if (!run.trust) return null;
  const { checkpoint } = run;
  const signers = new Set((checkpoint?.signatures ?? []).map((signature) => signature.keyId));
  const keys = run.trust.keys.filter((key) => signers.has(key.keyId)).concat(run.trust.keys.filter((key) => !signers.has(key.keyId)));
  return section(
    "key",
    "Compare this key with the one on paper",
    run.trusted
      ? "The keys are those of the trust file you gave, not those that the bundle names."
      : make("span", {}, "Everything here rests on this key. It stands on every PDF of the organisation. Compare all sixteen groups, or ", make("a", { href: "#open" }, "give a trust file you kept"), "."),
    ...keys.map((key) => keyBox(key, signers.has(key.keyId), keys.length > 1)),
    checkpoint
      ? facts([
          ["Log", said(checkpoint.origin)],
          ["Size", `${told(checkpoint.size)} entries`],
          ["Root", make("span", {}, make("span", { class: "hash" }, base64(checkpoint.root)), make("small", {}, "As it stands in the note and on paper"))],
        ])
      : null,
  );
}

function keyBox(key, isSigner, isOneOfMany) {
  const words = isSigner ? "Signed the checkpoint of this bundle" : "An earlier or later key of the same log";
  const groups = key.fingerprint.split(" ").map((group) => make("span", {}, group));
  return make(
    "figure",
    { class: "key" },
    make("figcaption", {}, isOneOfMany ? words : "Fingerprint of the key (SHA-256)"),
    make("p", { class: "print" }, ...groups.flatMap((group) => [group, " "])),
  );
}

function provedPart(run, verdict) {
  const held = (rule) => run.held.includes(rule) && !run.fault;
  const size = run.checkpoint ? told(run.checkpoint.size) : "";
  const proved = [
    held(5) && held(1) && !run.withheld && `These are all entries of the incident up to entry ${size} of the log: none was taken out, added or put in another order.`,
    held(4) && "What each event says is what went into the log, letter for letter.",
    held(2) && run.older.length && `The log of today extends ${told(run.older.length)} older signed notes. Nobody cut it off or wrote it anew.`,
    held(2) && run.kept.length && !run.unprovedNotes.length && "It extends the notes you kept, too.",
    held(7) && run.bundle.private && "Each opened value is the one that was recorded then.",
    held(8) && run.lines["deliveries.jsonl"].length && `The ${told(run.lines["deliveries.jsonl"].length)} rows about messages are those that were recorded, and nobody was handed two.`,
    held(9) && "What was sent is what had been approved, by somebody who had not written it.",
  ].filter(Boolean);
  const open = [
    "Whether what somebody typed was true. The log proves who said what, and when.",
    !run.trusted && "Whose key this is. That shows when you compare it with paper.",
    run.stamps ? "The time stamps of outside authorities. bd_verify.py judges them." : "When it happened, to somebody who trusts no clock of ours: this bundle holds no time stamp of an outside authority.",
    "Anything after the checkpoint, or that was never put into the log.",
  ].filter(Boolean);
  const nothing = make("p", {}, run.fault ? "Nothing. A file in which one check fails can be wrong in every part." : "Nothing yet: see what is missing above.");
  const isShown = proved.length > 0 && verdict.verdict !== "INVALID";
  return section("proved", "What this proves, and what it does not", null,
    make("div", { class: "halves" },
      make("div", {}, make("h3", {}, verdict.verdict === "INCOMPLETE" ? "Holds, as far as it could be checked" : "Proved"), isShown ? ticked(proved, "good", "check") : nothing),
      make("div", {}, make("h3", {}, "Not proved by this page"), ticked(open, null, "minus"))));
}

function ticked(sentences, tone, shape) {
  return make("ul", { class: "ticked", "data-tone": tone }, ...sentences.map((one) => make("li", {}, icon(shape), make("span", {}, one))));
}

function checksPart(run) {
  const rows = RULES.map(({ rule, name, what }) => [`${rule} ${name}`, what, resultOf(run, rule)]);
  const fold = make("details", { class: "checks", open: Boolean(run.fault) }, make("summary", {}, "The ten checks, one by one", icon("chevron-right")), table("The checks and their results", ["Check", "It holds when", "Result"], rows));
  return section("checks", run.fault ? "Where it failed" : "How it was checked", null, fold);
}

function resultOf(run, rule) {
  if (run.fault?.rule === rule) return state("alarm", "octagon-x", run.fault.n === null ? "Fault" : `Fault at entry ${told(run.fault.n)}`);
  const isEmpty = (rule === 2 && !run.older.length && !run.kept.length) || (rule === 7 && run.bundle && !run.bundle.private);
  if (!run.held.includes(rule)) return state(null, "circle-dashed", "Not reached");
  if (isEmpty) return state(null, "minus", rule === 2 ? "No older notes here" : "Nothing is opened here");
  if (rule === 1 && run.missing.includes(NO_ED25519)) return state("soon", "circle-dashed", "Form only, not the signatures");
  return state("good", "check", rule === 6 && run.stamps ? "Holds, without time stamps" : "Holds");
}

function recordParts(run, digests) {
  if (!run.bundle) return [];
  const names = namesIn(run);
  const shelf = { names, digests, saved: savedWords(run) };
  const parts = [];
  if (run.own.some((one) => one.body)) {
    const words = run.fault
      ? "This is what the file claims. It is not proved."
      : "Each line is one event. Open it to see its content, its hashes and its proof.";
    parts.push(section("history", "What happened", words, historyOf(run, names)));
  }
  for (const [name, content] of sectionsByName(run)) parts.push(sectionPart(name, content, shelf));
  return [...parts, anchorsPart(run), notesPart(run)];
}

const KINDS = { rfc3161: "Time stamp of an outside authority", mail: "Sent by e-mail" };

function anchorsPart(run) {
  const rows = run.lines["anchors.jsonl"] ?? [];
  const lines = rows.map(({ at, kind, size }) => [KINDS[kind] ?? kind, moment(at), told(size), kind === "rfc3161" ? "Judged by bd_verify.py" : "Ask who received it"]);
  return section("anchors", "Known outside the organisation", rows.length
    ? "Each line is a note that left the house. Nobody can change the log before it without it showing."
    : "This bundle holds no anchor: no note of this log is known to have left the house.",
    rows.length ? table("Anchors", ["What", "When", "Size of the log", "How to check it"], lines) : null);
}

function notesPart(run) {
  const all = [...run.older, ...(run.checkpoint ? [run.checkpoint] : [])].reverse();
  const rows = all.map((note) => [told(note.size), make("span", { class: "hash" }, base64(note.root)), note === run.checkpoint ? "Everything here is proved against it" : "Extended by the checkpoint"]);
  return section("notes", "Signed notes", "If you kept a note, look for its size here: its root must be the same.",
    rows.length ? table("Signed notes", ["Size", "Root", ""], rows) : null,
    run.checkpoint ? make("details", { class: "checks" }, make("summary", {}, "The checkpoint, letter for letter", icon("chevron-right")), make("pre", {}, said(run.checkpoint.note))) : null);
}

function showIndex(parts) {
  const items = parts.map((part) => make("li", {}, make("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)));
  byId("index").querySelector("ol").replaceChildren(...items);
}
