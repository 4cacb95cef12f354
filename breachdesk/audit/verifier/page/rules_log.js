/* Rules 1 to 5: notes, older notes, entries, bodies, and the chain of the incident. */

const ENTRY_KEYS = ["body", "inc_n", "inc_prev", "incident", "log", "n", "seq_at", "v"];
const BODY_KEYS = ["actor", "at", "data", "id", "incident", "object", "priv", "request", "type", "v"];
const NAMES_ON_EVERY_EVENT = ["also", "batches"];
const SHARED_TYPES = ["signing_key.made", "key.rotated", "clock.anomaly"];

/* Rule 1: each note is signed, by keys of the trust list only. */
async function checkNotes(run) {
  run.trust = run.trusted ?? run.ownTrust;
  if (run.bundle.origin !== run.trust.origin) throw new Fault(1, "The trust file is of another log than the bundle.");
  run.checkpoint = await checkOne(run, textOf(run.members.get("checkpoint.note")), "checkpoint.note");
  if (run.checkpoint.size !== run.bundle.size) {
    throw new Fault(1, "bundle.json does not speak of this checkpoint.");
  }
  run.older = [];
  for (const [i, line] of run.lines["notes.jsonl"].entries()) {
    const note = await checkOne(run, line.note, `notes.jsonl, line ${i + 1}`);
    run.older.push({ ...note, proof: line.proof.map(hashFrom) });
  }
  run.kept = [];
  for (const [i, text] of run.keptTexts.entries()) run.kept.push(await checkOne(run, text, `Kept note ${i + 1}`));
}

async function checkOne(run, text, what) {
  try {
    const note = await under(1, what, null, () => checkNote(text, run.trust.keys));
    if (note.origin !== run.trust.origin) throw new Fault(1, `${what}: it is a note of another log.`);
    return note;
  } catch (error) {
    if (!(error instanceof NoEd25519)) throw error;
    run.lack(NO_ED25519);
    return under(1, what, null, () => parseNote(text));
  }
}

const NO_ED25519 =
  "This browser cannot verify Ed25519 signatures. Open the file in Chrome or Edge 137, Firefox 129, Safari 17 or a " +
  "newer one, or run bd_verify.py.";

/* Rule 2: the checkpoint extends every older note; two notes of one size have one root. */
async function checkOlderNotes(run) {
  const roots = new Map([[run.checkpoint.size, run.checkpoint.root]]);
  let before = -1;
  for (const note of run.older) {
    const known = roots.get(note.size);
    if (note.size < before || note.size >= run.checkpoint.size || (known && !same(known, note.root))) {
      throw new Fault(2, "The older notes do not stand in ascending order of size below the checkpoint, one root for each.");
    }
    before = note.size;
    roots.set(note.size, note.root);
    if (!(await provesConsistency(note.size, note.root, run.checkpoint.size, run.checkpoint.root, note.proof))) {
      throw new Fault(2, `The checkpoint does not extend the older note of size ${told(note.size)}.`);
    }
  }
  for (const note of run.kept) {
    const root = roots.get(note.size);
    if (root && !same(root, note.root)) {
      throw new Fault(2, `The note you kept, of size ${told(note.size)}, has another root than this log had then.`);
    }
    if (!root) run.unprovedNotes.push(note);
  }
}

const told = (number) => number.toLocaleString("en-GB");

/* Rule 3: each entry is canonical, stands at its place and is in the tree under the checkpoint. */
async function checkEntries(run) {
  const lines = run.lines["entries.jsonl"];
  run.entries = new Array(lines.length);
  checkOrder(run, lines);
  const faults = [];
  await inBatches(lines.length, run.paced("Checking the entries"), async (i) => {
    try {
      run.entries[i] = await checkEntry(run, lines[i]);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(error);
    }
  });
  if (faults.length) throw faults.reduce((first, fault) => (fault.n < first.n ? fault : first));
  if (run.bundle.whole) await checkWhole(run);
}

function checkOrder(run, lines) {
  for (const [i, line] of lines.entries()) {
    const isNext = run.bundle.whole ? line.n === i : i === 0 || line.n > lines[i - 1].n;
    if (!isNext) throw new Fault(3, "The entries do not stand in their order.", line.n);
    if (line.n >= run.checkpoint.size) throw new Fault(3, "The entry is not under the checkpoint.", line.n);
    if ((line.proof === null) !== run.bundle.whole) throw new Fault(3, "The entry's proof is not where it must be.", line.n);
  }
}

async function checkEntry(run, line) {
  const entry = await under(3, "The entry", line.n, () => readEntry(line, run));
  const leaf = await leafOf(bytesOf(line.entry));
  if (line.proof !== null) {
    const proof = line.proof.map(hashFrom);
    if (!(await provesInclusion(leaf, line.n, run.checkpoint.size, proof, run.checkpoint.root))) {
      throw new Fault(3, "The entry is not the one that the checkpoint covers.", line.n);
    }
  }
  const steps = line.proof?.length ?? 0;
  return { n: line.n, entry, leaf, steps, bodyText: line.body, body: null, hash: base64url(leaf) };
}

function readEntry(line, run) {
  bytesOf(line.entry);
  const entry = readCanonical(line.entry);
  if (!hasKeys(entry, ENTRY_KEYS) || entry.v !== 1) throw new Malformed("its fields are not the ones of format 1");
  if (entry.log !== run.checkpoint.origin) throw new Malformed("it is an entry of another log");
  if (entry.n !== line.n) throw new Malformed("it belongs at another place");
  const isLinked = (entry.incident === null || isUuid(entry.incident)) && (entry.inc_n === null || isCount(entry.inc_n));
  if (!isTime(entry.seq_at) || !isHash(entry.body) || !isLinked || !isHashOrNull(entry.inc_prev)) {
    throw new Malformed("a field is not as it must be");
  }
  return entry;
}

async function checkWhole(run) {
  if (run.entries.length !== run.checkpoint.size) {
    throw new Fault(3, "The log should be whole, and entries at its end are missing.");
  }
  const leaves = run.entries.map((one) => one.leaf);
  if (!same(await rootOf(leaves, run.paced("Computing the root")), run.checkpoint.root)) {
    throw new Fault(3, "The root over all entries is not the one that was signed.");
  }
}

/* Rule 4: each body is the one that its entry names, and of a kind this page knows. */
async function checkBodies(run) {
  const ids = new Set();
  let first = null;
  for (const [i, one] of run.entries.entries()) {
    try {
      if (one.bodyText !== null) one.body = await checkBody(one, ids);
      else if (one.entry.incident === run.bundle.incident) run.withheld += 1;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      first ??= error;
      continue;
    }
    checkBelonging(run, one);
    if (i % 128 === 0) await run.pace("Reading the events", i / run.entries.length);
  }
  if (first) throw first;
  if (run.withheld) run.lack(`${told(run.withheld)} of the incident's events are withheld: their content is not here.`);
}

async function checkBody(one, ids) {
  const bytes = await under(4, "The event", one.n, () => bytesOf(one.bodyText));
  if (base64url(await sha256(bytes)) !== one.entry.body) {
    throw new Fault(4, "The event is not the one that its entry names.", one.n);
  }
  const body = await under(4, "The event", one.n, () => readBody(one));
  if (ids.has(body.id)) throw new Fault(4, "The event stands in the log twice.", one.n);
  ids.add(body.id);
  return body;
}

/* Beside the incident's own entries a bundle that is not whole shows only what tells of keys and clocks. */
function checkBelonging(run, { n, entry, body }) {
  if (run.bundle.whole || entry.incident === run.bundle.incident) return;
  const isShared = entry.incident === null && body !== null && SHARED_TYPES.includes(body.type);
  if (!isShared) throw new Fault(3, "The entry has no place in a bundle of this incident.", n);
}

function readBody(one) {
  const body = readCanonical(one.bodyText);
  if (!hasKeys(body, BODY_KEYS) || body.v !== 1) throw new Malformed("its fields are not the ones of format 1");
  if (!isUuid(body.id) || !isTime(body.at) || !isTextOrNull(body.request)) throw new Malformed("a field is not as it must be");
  if (!isActor(body.actor) || !isObject(body.object)) throw new Malformed("its actor or object is not as it must be");
  if (body.incident !== one.entry.incident) throw new Malformed("its incident is not that of its entry");
  const kind = entryOf(EVENTS, body.type) ?? null;
  if (kind === null) throw new Malformed("its type is not known");
  checkCarried(kind, body);
  return body;
}

function checkCarried(kind, { data, priv }) {
  const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isPlain(data) || !isPlain(priv)) throw new Malformed("its data is not as it must be");
  const unknown = Object.keys(data).find((key) => !kind.allowed.includes(key) && !NAMES_ON_EVERY_EVENT.includes(key));
  if (unknown !== undefined) throw new Malformed("it carries a field that its type does not have");
  if (!kind.required.every((key) => key in data)) throw new Malformed("it lacks a field of its type");
  if (!Object.entries(priv).every(([key, value]) => kind.private.includes(key) && isHash(value))) {
    throw new Malformed("its sealed values are not those of its type");
  }
}

function isActor(actor) {
  if (!hasKeys(actor, ["id", "kind", "session"]) || !isTextOrNull(actor.session)) return false;
  return (actor.kind === "user" || actor.kind === "system") && isTextOrNull(actor.id);
}

function isObject(object) {
  if (object === null) return true;
  if (!hasKeys(object, ["kind", "id", "version", "sha256"])) return false;
  return isText(object.kind) && /^[a-z][a-z0-9_.]{0,99}$/.test(object.kind) && isText(object.id) && isCount(object.version) && isHashOrNull(object.sha256);
}

/* Rule 5: entries of one incident are numbered from 1, each names the one before, and the last says how many there are.
   A whole log shows other incidents too: their entries must hang together as well. */
function checkChain(run) {
  const chains = new Map();
  for (const one of run.entries) {
    checkLink(one, chains);
    if (one.entry.incident !== run.bundle.incident) continue;
    run.own.push(one);
    const isOpening = one.body?.type === "incident.opened";
    if (isOpening && one.body.data.reference !== run.bundle.reference) {
      throw new Fault(5, "The incident was opened under another reference than bundle.json names.", one.n);
    }
  }
  if (run.own.length) checkHead(run, run.own[run.own.length - 1]);
  else run.lack("There is no entry of the incident in this bundle, so there is nothing to prove.");
}

function checkLink({ n, entry, hash }, chains) {
  if (entry.incident === null) {
    if (entry.inc_n !== null || entry.inc_prev !== null) throw new Fault(5, "The entry counts in an incident and names none.", n);
    return;
  }
  const before = chains.get(entry.incident) ?? { n: 0, hash: null };
  if (entry.inc_n !== before.n + 1 || entry.inc_prev !== before.hash) {
    throw new Fault(5, `The entry does not follow entry ${before.n} of its incident: something was left out or put in.`, n);
  }
  chains.set(entry.incident, { n: entry.inc_n, hash });
}

function checkHead(run, { n, entry, body }) {
  if (run.bundle.head !== n) throw new Fault(5, "bundle.json names another last entry of the incident.", n);
  if (body === null) return;
  const pins = body.type === "incident.head" && body.data.inc_n === entry.inc_n - 1 && body.data.inc_leaf === entry.inc_prev;
  if (!pins) throw new Fault(5, "The incident's last entry does not say how many came before: some may be left out.", n);
}
