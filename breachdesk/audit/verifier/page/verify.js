/* One run over one bundle: rule by rule, from the file inwards. The first fault ends it. */

const RULES = [
  { rule: 0, name: "The file", what: "Nothing was added to it, taken from it or changed in it since it was made.", check: checkFile },
  { rule: 1, name: "The signatures", what: "The checkpoint and the older notes are signed with the keys of the log.", check: checkNotes },
  { rule: 2, name: "The older notes", what: "The log of today extends the log of every older note: nothing was cut off or rewritten.", check: checkOlderNotes },
  { rule: 3, name: "The entries", what: "Each entry stands at its place in the log that was signed.", check: checkEntries },
  { rule: 4, name: "The events", what: "What each event says is what was put into the log.", check: checkBodies },
  { rule: 5, name: "The chain of the incident", what: "Every entry of the incident is here, from the first to the last.", check: checkChain },
  { rule: 6, name: "The times", what: "Times only go forward, and no event is dated after it was put into the log.", check: checkTimes },
  { rule: 7, name: "The opened values", what: "Each opened value is the one recorded; each missing one was erased on record.", check: checkOpenings },
  { rule: 8, name: "The messages", what: "The rows of every batch give the totals that were recorded; nobody was handed two.", check: checkDeliveries },
  { rule: 9, name: "The decisions", what: "What was sent is what was approved before, by somebody who did not write it.", check: checkState },
];

const STAMPS =
  "Time stamps are not judged by this page: it takes openssl to do so. Run bd_verify.py to have them judged too.";
const NO_CRYPTO =
  "This browser gives the page no way to compute hashes. Save the page and open the saved file in a new version of " +
  "Chrome, Edge, Firefox or Safari, or run bd_verify.py.";

const breath = () => new Promise((resolve) => setTimeout(resolve));

class Run {
  constructor(members, { isEmbedded = false, trusted = null, keptTexts = [], onProgress = () => {} } = {}) {
    Object.assign(this, { members, isEmbedded, trusted, keptTexts, onProgress });
    Object.assign(this, { lines: {}, sections: {}, entries: [], own: [], older: [], kept: [], unprovedNotes: [] });
    Object.assign(this, { missing: [], notes: [], withheld: 0, stamps: 0, erased: new Set(), held: [], fault: null });
    this.rested = performance.now();
  }

  lack(sentence) {
    if (!this.missing.includes(sentence)) this.missing.push(sentence);
  }

  /* Something that must be there is not. Where events are withheld it may stand in one of them: then it proves nothing. */
  miss(rule, sentence, n = null) {
    if (!this.withheld) throw new Fault(rule, sentence, n);
  }

  async pace(doing, share = null) {
    if (performance.now() - this.rested < 40) return;
    this.onProgress(doing, share);
    await breath();
    this.rested = performance.now();
  }

  paced(doing) {
    return (done, all) => this.pace(doing, done / all);
  }

  async judge() {
    try {
      for (const { rule, check } of RULES) {
        this.at = rule;
        await check(this);
        if (rule === 3) await checkKeptNotes(this);
        if (rule === 6) await checkAnchors(this);
        this.held.push(rule);
        if (rule === 6 && this.own.length === 0) break;
      }
    } catch (error) {
      this.fault = error instanceof Fault ? error : unexpected(error, this.at);
    }
    this.addNotes();
    return this.verdict();
  }

  addNotes() {
    if (!this.trusted) this.notes.push("The keys are those the bundle itself names. Compare the fingerprint with one you got elsewhere.");
    if (this.stamps) this.notes.push(STAMPS);
    if (this.isEmbedded) this.notes.push("This page cannot judge itself: choose the ZIP file, or run bd_verify.py, to have index.html compared too.");
  }

  verdict() {
    const { fault, missing } = this;
    const verdict = fault ? "INVALID" : missing.length ? "INCOMPLETE" : "VALID";
    const checkpoint = this.checkpoint ?? null;
    return {
      verdict,
      rule: fault ? fault.rule : null,
      n: fault ? fault.n : null,
      sentence: this.sentence(verdict),
      missing,
      notes: this.notes,
      size: checkpoint?.size ?? null,
      root: checkpoint ? base64(checkpoint.root) : null,
      entries: this.entries.length,
      incident: this.bundle?.incident ?? null,
      reference: this.bundle?.reference ?? null,
      keys: (this.trust?.keys ?? []).map((key) => key.fingerprint),
    };
  }

  sentence(verdict) {
    if (verdict === "INVALID") return this.fault.message;
    if (verdict === "INCOMPLETE") return `Nothing is wrong in what could be checked, but: ${this.missing[0]}`;
    return `All ${told(this.own.length)} entries of ${this.bundle.reference} are here, in order and unchanged.`;
  }
}

/* A text that is not a text, a list that is not a list: the file is not what it says it is. */
function unexpected(error, rule) {
  return new Fault(rule, `The file cannot be read as a bundle: ${error instanceof Error ? error.message : error}.`);
}

/* A note that somebody kept is proved by an older note of its size, or by all entries up to it. */
async function checkKeptNotes(run) {
  for (const note of run.unprovedNotes) {
    if (run.bundle.whole && note.size <= run.entries.length) {
      const leaves = run.entries.slice(0, note.size).map((one) => one.leaf);
      if (!same(await rootOf(leaves, run.paced("Checking the note you kept")), note.root)) {
        throw new Fault(2, `The note you kept, of size ${told(note.size)}, has another root than this log had then.`);
      }
    } else {
      run.lack(`The note you kept, of size ${told(note.size)}, has no proof in this bundle. Ask for a bundle with one.`);
    }
  }
}

/* The verdict on a bundle's bytes: the way in for the file picker, and for tests. */
async function judgeZip(bytes, options = {}) {
  if (!globalThis.crypto?.subtle) return withoutCrypto();
  const pacer = new Run(new Map(), options);
  let members;
  try {
    members = await readZip(bytes, () => pacer.pace("Reading the ZIP file"));
  } catch (error) {
    const broken = new Run(new Map(), options);
    broken.fault = new Fault(0, `The ZIP file: ${error.message}.`);
    return { run: broken, verdict: broken.verdict() };
  }
  return judgeMembers(members, options);
}

async function judgeMembers(members, options) {
  const run = new Run(members, options);
  return { run, verdict: await run.judge() };
}

function withoutCrypto() {
  const run = new Run(new Map());
  run.lack(NO_CRYPTO);
  return { run, verdict: run.verdict() };
}

/* The bundle inside this page: every member but the page itself, as text. Null when there is none. */
async function judgeEmbedded(text, options = {}) {
  if (!globalThis.crypto?.subtle) return withoutCrypto();
  const members = new Map();
  try {
    const files = JSON.parse(text);
    const texts = new Map(Object.entries(files));
    if (writeEmbedded(texts) !== text) throw new Malformed("it is not written as this page's data must be");
    for (const [name, content] of texts) members.set(name, bytesOf(content));
  } catch (error) {
    const broken = new Run(members, options);
    broken.fault = new Fault(0, `The data inside this page cannot be read: ${error.message}.`);
    return { run: broken, verdict: broken.verdict() };
  }
  return judgeMembers(members, { ...options, isEmbedded: true });
}
