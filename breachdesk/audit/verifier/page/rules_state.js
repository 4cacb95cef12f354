/* Rules 6 to 9: times, opened values, deliveries, and what must come before what. */

const TOLERANCE = 5_000_000n;

/* Rule 6, without time stamps: positions and times run the same way, and no event is from after its linking. */
function checkTimes(run) {
  const isReport = ({ type, data }) => type === "clock.anomaly" && data.kind === "ahead" && isCount(data.first) && isCount(data.last);
  const excused = run.entries
    .filter((one) => one.body && isReport(one.body))
    .map(({ body }) => [body.data.first, body.data.last]);
  let before = null;
  let ahead = null;
  for (const { n, entry, body } of run.entries) {
    const linked = microseconds(entry.seq_at);
    if (before !== null && linked < before) throw new Fault(6, "The entry is older than the one before it.", n);
    before = linked;
    if (body === null || body.type === "clock.anomaly") continue;
    const isExcused = excused.some(([first, last]) => first <= n && n <= last);
    if (microseconds(body.at) > linked + TOLERANCE && !isExcused) ahead ??= n;
  }
  if (ahead !== null) run.miss(6, "The event claims a time after it was put into the log, and no report of a wrong clock says why.", ahead);
}

/* What stands in anchors.jsonl belongs to notes that are here. Their receipts are for bd_verify.py to judge. */
async function checkAnchors(run) {
  const hashes = new Map();
  for (const note of [run.checkpoint, ...run.older]) hashes.set(base64url(await sha256(bytesOf(note.note))), note.size);
  for (const [i, anchor] of run.lines["anchors.jsonl"].entries()) {
    const what = `anchors.jsonl, line ${i + 1}`;
    if (hashes.get(anchor.note) !== anchor.size) {
      throw new Fault(6, `${what}: its note is not in this bundle.`);
    }
    if (anchor.kind !== "rfc3161") continue;
    if (!anchor.receipt) throw new Fault(6, `${what}: its time stamp is missing.`);
    run.stamps += 1;
  }
}

/* Rule 7: opened values fit their commitments; a value that is not opened was erased, and the log says so. */
async function checkOpenings(run) {
  if (!run.bundle.private) return;
  const byId = new Map(run.entries.filter((one) => one.body).map((one) => [one.body.id, one]));
  const faults = [];
  let before = null;
  let stray = null;
  for (const [i, { event, field, salt, value }] of run.lines["private.jsonl"].entries()) {
    const one = byId.get(event);
    if (!one || !Object.hasOwn(one.body.priv, field)) {
      stray ??= "A value is opened that no event here holds.";
      continue;
    }
    const isNext = before === null || before.n < one.n || (before.n === one.n && before.field < field);
    if (!isNext) stray ??= "The opened values do not stand in their order, or one stands here twice.";
    before = { n: one.n, field };
    if (base64url(await commitmentOf(field, hashFrom(salt), value)) !== one.body.priv[field]) {
      faults.push(new Fault(7, `The opened value of “${field}” is not what was recorded.`, one.n));
    }
    (one.opened ??= new Map()).set(field, value);
    if (i % 128 === 0) await run.pace("Checking the opened values");
  }
  const unexplained = unexplainedAbsence(run);
  if (unexplained && !run.withheld) faults.push(unexplained);
  if (faults.length) throw faults.reduce((first, fault) => (fault.n < first.n ? fault : first));
  if (stray) run.miss(7, stray);
}

/* The first value of the incident that is not opened, though nothing says that it was erased. */
function unexplainedAbsence(run) {
  const bodies = run.entries.filter((one) => one.body).map((one) => one.body);
  run.erased = new Set(bodies.filter((body) => body.type === "privacy.erased").flatMap((body) => erasedBy(body.data)));
  if (bodies.some((body) => body.type === "key.destroyed" && body.incident === run.bundle.incident)) return null;
  for (const { n, body, opened } of run.own) {
    const fields = body === null ? [] : Object.keys(body.priv);
    const absent = fields.find((field) => !opened?.has(field) && !run.erased.has(`${body.id}/${field}`));
    if (absent !== undefined) return new Fault(7, `The value of “${absent}” is missing, and no erasure explains it.`, n);
  }
  return null;
}

const erasedBy = ({ erased }) => (Array.isArray(erased) && erased.every(isText) ? erased : []);

const ROW_KEYS = ["at", "code", "delivery", "outcome", "recipient", "reply", "try"];
const OUTCOMES = ["handed_over", "refused", "retry_wait", "unknown", "blocked"];

/* Rule 8: the rows of every settled batch give the root and the counts of its event. */
async function checkDeliveries(run) {
  const rows = new Map();
  let before = null;
  for (const row of run.lines["deliveries.jsonl"]) {
    if (before !== null && (row.n < before.n || (row.n === before.n && row.row <= before.row))) {
      throw new Fault(8, "The delivery rows do not stand in their order.", row.n);
    }
    before = row;
    if (!rows.has(row.n)) rows.set(row.n, []);
    rows.get(row.n).push(row);
  }
  const handedOver = new Set();
  for (const one of run.own) {
    if (one.body?.type !== "delivery.batch_settled") continue;
    await checkBatch(run, one, rows.get(one.n) ?? [], handedOver);
    rows.delete(one.n);
  }
  const withheld = new Set(run.own.filter((one) => one.body === null).map((one) => one.n));
  for (const n of rows.keys()) {
    if (!withheld.has(n)) run.miss(8, "Delivery rows belong to no settled batch of the incident.", n);
  }
}

async function checkBatch(run, { n, body }, rows, handedOver) {
  const { data } = body;
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  let before = null;
  for (const [i, row] of rows.entries()) {
    if (row.row !== i || row.batch !== data.batch) throw new Fault(8, "A delivery row is missing or of another batch.", n);
    const line = await under(8, "A delivery row", n, () => readRow(row.line));
    const key = [line.delivery, line.try, line.outcome];
    if (before !== null && !isBefore(before, key)) throw new Fault(8, "The rows of a batch are not in their order.", n);
    before = key;
    counts[line.outcome] += 1;
    if (line.outcome !== "handed_over") continue;
    if (handedOver.has(line.delivery)) throw new Fault(8, "One message was handed over twice.", n);
    handedOver.add(line.delivery);
  }
  const leaves = new Array(rows.length);
  await inBatches(rows.length, run.paced("Checking the delivery rows"), async (i) => {
    leaves[i] = await leafOf(bytesOf(rows[i].line));
  });
  if (data.rows !== rows.length || OUTCOMES.some((outcome) => data[outcome] !== counts[outcome])) {
    throw new Fault(8, "The counts of the batch are not those of its rows.", n);
  }
  if (base64url(await rootOf(leaves, run.paced("Checking the delivery rows"))) !== data.rows_root) {
    throw new Fault(8, "The rows of the batch are not those that were recorded.", n);
  }
}

function isBefore(a, b) {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i !== -1 && a[i] < b[i];
}

function readRow(text) {
  bytesOf(text);
  const row = readCanonical(text);
  const isRow =
    hasKeys(row, ROW_KEYS) && (row.at === null || isTime(row.at)) && (row.code === null || isCount(row.code)) &&
    isUuid(row.delivery) && OUTCOMES.includes(row.outcome) && isHashOrNull(row.recipient) && isHashOrNull(row.reply) &&
    isCount(row.try);
  if (!isRow) throw new Malformed("its fields are not as they must be");
  return row;
}

/* Rule 9: what was sent is what was approved, by somebody who did not write it, before it was sent. */
async function checkState(run) {
  const editions = new Map();
  for (const { n, body } of run.own) {
    if (body?.type === "delivery.batch_settled") {
      const isStarted = editions.get(body.data.edition)?.isStarted;
      if (!isStarted) run.miss(9, "Messages of an edition were settled before it was started.", n);
    } else if (body?.type.startsWith("edition.")) {
      if (body.object === null) throw new Fault(9, "The event is about an edition and names none.", n);
      if (!editions.has(body.object.id)) editions.set(body.object.id, { authors: new Set(), approved: new Set() });
      checkEdition(run, editions.get(body.object.id), body, n);
    }
  }
  await checkSections(run);
}

const UNDOES_APPROVAL = ["edition.saved", "edition.submitted", "edition.withdrawn", "edition.rejected"];

function checkEdition(run, edition, { type, actor, data }, n) {
  const digest = isHash(data.digest) ? data.digest : null;
  if (type === "edition.created" || type === "edition.saved") edition.authors.add(actor.id);
  if (UNDOES_APPROVAL.includes(type)) edition.approved.clear();
  if (type === "edition.submitted") edition.submitted = digest;
  if (type === "edition.approved") approve(run, edition, actor.id, digest, n);
  if (type !== "edition.started") return;
  edition.isStarted = true;
  if (!edition.approved.has(digest)) run.miss(9, "What was sent is not what was approved, or was not approved at all.", n);
}

function approve(run, edition, approver, digest, n) {
  if (approver === null || edition.authors.has(approver)) {
    throw new Fault(9, "The edition was approved by somebody who wrote it.", n);
  }
  if (digest === null || digest !== edition.submitted) run.miss(9, "What was approved is not what was submitted.", n);
  else edition.approved.add(digest);
}

async function checkSections(run) {
  const exported = run.own.filter((one) => one.body?.type === "bundle.exported").pop();
  if (!exported) return run.miss(9, "The log does not say that this bundle was exported.");
  const files = Object.create(null);
  for (const name of Object.keys(run.sections)) files[name] = base64url(await sha256(run.members.get(name)));
  if (base64url(await sha256(bytesOf(writeCanonical({ files })))) !== exported.body.data.sections_digest) {
    throw new Fault(9, "The sections of the bundle are not those that were exported.", exported.n);
  }
  return undefined;
}
