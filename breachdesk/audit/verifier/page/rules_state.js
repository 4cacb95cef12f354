/* Rules 6 to 9: times, opened values, deliveries, and what must come before what. */

const TOLERANCE = 5_000_000n;

/* Rule 6, without time stamps: positions and times run the same way, and no event is from after its linking. */
function checkTimes(run) {
  const excused = run.entries
    .filter((one) => one.body?.type === "clock.anomaly" && one.body.data.kind === "ahead")
    .map(({ body }) => [body.data.first, body.data.last]);
  let before = null;
  for (const { n, entry, body } of run.entries) {
    const linked = microseconds(entry.seq_at);
    if (before !== null && linked < before) throw new Fault(6, "The entry is older than the one before it.", n);
    before = linked;
    if (body === null || body.type === "clock.anomaly") continue;
    const isExcused = excused.some(([first, last]) => first <= n && n <= last);
    if (microseconds(body.at) > linked + TOLERANCE && !isExcused) {
      throw new Fault(6, "The event claims a time after it was put into the log.", n);
    }
  }
}

/* What stands in anchors.jsonl belongs to notes that are here. Their receipts are for bd_verify.py to judge. */
async function checkAnchors(run) {
  const notes = [run.checkpoint, ...run.older];
  for (const [i, anchor] of run.lines["anchors.jsonl"].entries()) {
    const note = notes.find((one) => one.size === anchor.size);
    const what = `anchors.jsonl, line ${i + 1}`;
    if (!note || base64url(await sha256(bytesOf(note.note))) !== anchor.note) {
      throw new Fault(6, `${what}: its note is not in this bundle.`);
    }
    if (anchor.kind === "rfc3161") {
      if (anchor.receipt === null) throw new Fault(6, `${what}: its time stamp is missing.`);
      await under(6, what, null, () => fromBase64(anchor.receipt));
      run.stamps += 1;
    }
  }
}

/* Rule 7: opened values fit their commitments; a value that is not opened was erased, and the log says so. */
async function checkOpenings(run) {
  if (!run.bundle.private) return;
  const byId = new Map(run.entries.filter((one) => one.body).map((one) => [one.body.id, one]));
  let before = null;
  for (const [i, { event, field, salt, value }] of run.lines["private.jsonl"].entries()) {
    const one = byId.get(event);
    if (!one || !(field in one.body.priv)) throw new Fault(7, "A value is opened that no event here holds.", one?.n ?? null);
    if (before !== null && !(before[0] < one.n || (before[0] === one.n && before[1] < field))) {
      throw new Fault(7, "The opened values do not stand in their order.", one.n);
    }
    before = [one.n, field];
    if (base64url(await commitmentOf(field, hashFrom(salt), value)) !== one.body.priv[field]) {
      throw new Fault(7, `The opened value of “${field}” is not what was recorded.`, one.n);
    }
    (one.opened ??= new Map()).set(field, value);
    if (i % 128 === 0) await run.pace("Checking the opened values");
  }
  checkErasures(run);
}

function checkErasures(run) {
  const bodies = run.entries.filter((one) => one.body).map((one) => one.body);
  run.erased = new Set(bodies.filter((body) => body.type === "privacy.erased").flatMap((body) => body.data.erased ?? []));
  const isShredded = bodies.some((body) => body.type === "key.destroyed" && body.incident === run.bundle.incident);
  for (const { n, body, opened } of run.own) {
    if (body === null || isShredded) continue;
    const absent = Object.keys(body.priv).find((field) => !opened?.has(field) && !run.erased.has(`${body.id}/${field}`));
    if (absent !== undefined) throw new Fault(7, `The value of “${absent}” is missing, and no erasure explains it.`, n);
  }
}

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
  for (const n of rows.keys()) throw new Fault(8, "Delivery rows belong to no settled batch of the incident.", n);
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
    hasKeys(row, ROW_KEYS) && (row.at === null || isTime(row.at)) && (row.code === null || Number.isSafeInteger(row.code)) &&
    isUuid(row.delivery) && OUTCOMES.includes(row.outcome) && isHashOrNull(row.recipient) && isHashOrNull(row.reply) &&
    isCount(row.try);
  if (!isRow) throw new Malformed("its fields are not as they must be");
  return row;
}

/* Rule 9: what was sent is what was approved, by somebody who did not write it, before it was sent. */
async function checkState(run) {
  if (run.withheld) return;
  await checkSections(run);
  const editions = new Map();
  for (const { n, body } of run.own) {
    if (body.type === "delivery.batch_settled") {
      if (!editions.get(body.data.edition)?.isStarted) {
        throw new Fault(9, "Messages of an edition were settled before it was started.", n);
      }
    } else if (body.type.startsWith("edition.") && body.object !== null) {
      if (!editions.has(body.object.id)) editions.set(body.object.id, { authors: new Set(), approvals: [] });
      checkEdition(editions.get(body.object.id), body, n);
    }
  }
}

function checkEdition(edition, { type, actor, data }, n) {
  const digest = data.digest ?? null;
  if (type === "edition.created" || type === "edition.saved") edition.authors.add(actor.id);
  if (["edition.saved", "edition.submitted", "edition.withdrawn", "edition.rejected"].includes(type)) edition.approvals = [];
  if (type === "edition.submitted") edition.submitted = digest;
  if (type === "edition.approved") {
    if (digest === null || digest !== edition.submitted) {
      throw new Fault(9, "What was approved is not what was submitted.", n);
    }
    edition.approvals.push({ digest, by: actor.id, n });
  }
  if (type === "edition.started") startEdition(edition, digest, n);
}

function startEdition(edition, digest, n) {
  const approvals = edition.approvals.filter((approval) => approval.digest === digest);
  if (digest === null || approvals.length === 0) {
    throw new Fault(9, "What was sent is not what was approved, or was not approved at all.", n);
  }
  if (approvals.some((approval) => approval.by === null || edition.authors.has(approval.by))) {
    throw new Fault(9, "The edition was approved by somebody who wrote it.", n);
  }
  edition.isStarted = true;
}

async function checkSections(run) {
  const exported = run.own.filter((one) => one.body.type === "bundle.exported").pop();
  if (!exported) throw new Fault(9, "The log does not say that this bundle was exported.");
  const files = Object.create(null);
  for (const name of Object.keys(run.sections)) files[name] = base64url(await sha256(run.members.get(name)));
  if (base64url(await sha256(bytesOf(writeCanonical({ files })))) !== exported.body.data.sections_digest) {
    throw new Fault(9, "The sections of the bundle are not those that were exported.", exported.n);
  }
}
