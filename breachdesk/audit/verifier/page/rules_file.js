/* Rule 0: the file itself. Members, manifest, canonical form, and the fields of every line. */

class Fault extends Error {
  constructor(rule, sentence, n = null) {
    super(sentence);
    this.rule = rule;
    this.n = n;
  }
}

/* Runs a reader; what it refuses becomes a fault of this rule, at this entry. */
async function under(rule, what, n, work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Malformed) throw new Fault(rule, `${what}: ${error.message}.`, n);
    throw error;
  }
}

const REQUIRED = [
  "README.txt", "anchors.jsonl", "bd_verify.py", "bundle.json", "checkpoint.note", "deliveries.jsonl", "entries.jsonl",
  "index.html", "manifest.json", "notes.jsonl", "trust.json",
];
const SECTION = /^sections\/[a-z][a-z0-9_]{0,59}\.json$/;
/* In two parts, so that this script is not itself the place it looks for. */
const BLOCK_OPEN = '<script type="application/json" ' + 'id="bundle">';
const BLOCK_CLOSE = "</" + "script>";
const LARGEST_EMBEDDED = 30e6;

const isText = (value) => typeof value === "string";
const isTextOrNull = (value) => value === null || isText(value);
const isTime = (value) => microseconds(value) !== null;
const isHashOrNull = (value) => value === null || isHash(value);
const isProof = (value) => Array.isArray(value) && value.every(isHash);

const SHAPES = {
  "bundle.json": {
    v: (value) => value === 1, made_at: isTime, origin: isOrigin, incident: isUuid, reference: isText, head: isCount,
    size: isCount, whole: isBoolean, private: isBoolean, entries: isCount, deliveries: isCount,
  },
  "notes.jsonl": { note: isText, proof: isProof },
  "anchors.jsonl": {
    at: isTime, kind: (value) => value === "rfc3161" || value === "mail", size: isCount, note: isHash,
    receipt: (value) => value === null || isBase64(value),
  },
  "entries.jsonl": { n: isCount, entry: isText, body: isTextOrNull, proof: (value) => value === null || isProof(value) },
  "deliveries.jsonl": { batch: isUuid, n: isCount, row: isCount, line: isText },
  "private.jsonl": { event: isUuid, field: isText, salt: isHash, value: isText },
};

function isBase64(value) {
  try {
    return isText(value) && fromBase64(value).length >= 0;
  } catch {
    return false;
  }
}

function isBoolean(value) {
  return value === true || value === false;
}

function checkShape(value, shape) {
  if (!hasKeys(value, Object.keys(shape))) throw new Malformed("its fields are not the ones of format 1");
  for (const [name, fits] of Object.entries(shape)) {
    if (!fits(value[name])) throw new Malformed(`its field “${name}” is not as it must be`);
  }
  return value;
}

async function checkFile(run) {
  if (run.members.size === 0) throw new Fault(0, "There is nothing in this file.");
  checkNames(run);
  await checkManifest(run);
  run.bundle = await under(0, "bundle.json", null, () =>
    checkShape(readCanonical(textOf(run.members.get("bundle.json"))), SHAPES["bundle.json"]),
  );
  if (run.members.has("private.jsonl") !== run.bundle.private) {
    throw new Fault(0, "bundle.json and private.jsonl do not agree whether sealed values are opened.");
  }
  for (const name of ["notes.jsonl", "anchors.jsonl", "entries.jsonl", "deliveries.jsonl", "private.jsonl"]) {
    run.lines[name] = run.members.has(name) ? await readLines(run, name) : [];
  }
  for (const [name, bytes] of run.members) {
    if (SECTION.test(name)) run.sections[name] = await under(0, name, null, () => readSection(bytes));
  }
  await checkIndex(run);
  checkCounts(run);
  run.ownTrust = await under(0, "trust.json", null, () => readTrust(textOf(run.members.get("trust.json"))));
}

function checkNames(run) {
  const known = (name) => REQUIRED.includes(name) || name === "private.jsonl" || SECTION.test(name);
  const unknown = [...run.members.keys()].find((name) => !known(name));
  if (unknown !== undefined) throw new Fault(0, `A file named “${unknown}” has no place in this bundle.`);
  const absent = REQUIRED.find((name) => !run.members.has(name) && !(run.isEmbedded && name === "index.html"));
  if (absent) throw new Fault(0, `${absent} is missing from the bundle.`);
}

async function checkManifest(run) {
  const manifest = await under(0, "manifest.json", null, () => readCanonical(textOf(run.members.get("manifest.json"))));
  const isFilled = hasKeys(manifest, ["v", "files", "index"]) && manifest.v === 1 && isHash(manifest.index);
  if (!isFilled || manifest.files === null || typeof manifest.files !== "object") {
    throw new Fault(0, "manifest.json: its fields are not the ones of format 1.");
  }
  run.manifest = manifest;
  const listed = [...run.members.keys()].filter((name) => name !== "manifest.json" && name !== "index.html");
  if (!hasKeys(manifest.files, listed)) throw new Fault(0, "The manifest does not name just the files that are here.");
  for (const name of listed) {
    if (base64url(await sha256(run.members.get(name))) !== manifest.files[name]) {
      throw new Fault(0, `${name} is not the file that the manifest names.`);
    }
    await run.pace("Hashing the files");
  }
}

function readSection(bytes) {
  const section = readCanonical(textOf(bytes));
  if (section.v !== 1) throw new Malformed("its version is not known");
  return section;
}

const NEWLINE = 10;

async function readLines(run, name) {
  const bytes = run.members.get(name);
  const found = [];
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) throw new Fault(0, `${name}: its last line has no end.`);
    const what = `${name}, line ${found.length + 1}`;
    const line = bytes.subarray(start, end);
    found.push(await under(0, what, null, () => checkShape(readCanonical(textOf(line)), SHAPES[name])));
    start = end + 1;
    if (found.length % 256 === 0) await run.pace(`Reading ${name}`);
  }
  return found;
}

/* The page that lies in the ZIP: its data is either null or every other file; the rest is what the manifest names. */
async function checkIndex(run) {
  if (run.isEmbedded) return;
  const page = await under(0, "index.html", null, () => textOf(run.members.get("index.html")));
  const open = page.indexOf(BLOCK_OPEN);
  const start = open + BLOCK_OPEN.length;
  const end = page.indexOf(BLOCK_CLOSE, start);
  if (open === -1 || end === -1 || page.indexOf(BLOCK_OPEN, start) !== -1) {
    throw new Fault(0, "index.html does not have its one place for data.");
  }
  const block = page.slice(start, end);
  if (block !== "null") {
    const files = new Map();
    for (const [name, bytes] of run.members) {
      if (name !== "index.html") files.set(name, await under(0, name, null, () => textOf(bytes)));
    }
    if (writeEmbedded(files) !== block) throw new Fault(0, "The data inside index.html is not that of the bundle.");
  }
  const emptied = bytesOf(page.slice(0, start) + EMPTIED + page.slice(end));
  if (base64url(await sha256(emptied)) !== run.manifest.index) {
    throw new Fault(0, "index.html is not the page that the manifest names.");
  }
}

const EMPTIED = "";

function checkCounts(run) {
  const { entries, deliveries } = run.bundle;
  if (entries !== run.lines["entries.jsonl"].length || deliveries !== run.lines["deliveries.jsonl"].length) {
    throw new Fault(0, "bundle.json does not count the lines that are here.");
  }
}
