/* Signed notes (c2sp.org/signed-note) that hold a checkpoint (c2sp.org/tlog-checkpoint), read strictly. */

class NoEd25519 extends Error {}

const NUMBER = /^(0|[1-9][0-9]{0,15})$/;

function parseNote(note) {
  const found = /^([^\n\r]+)\n([^\n\r]+)\n([^\n\r]+)\n\n((?:\u2014 [^\n\r]+\n)+)$/.exec(note);
  if (!found) throw new Malformed("it does not have three lines, an empty one, and signatures");
  const [, origin, size, root, lines] = found;
  if (!NUMBER.test(size) || !Number.isSafeInteger(Number(size))) throw new Malformed("its size is not a whole number");
  if (Number(size) === 0) throw new Malformed("its size is 0: an empty log proves nothing");
  const rootBytes = fromBase64(root);
  if (rootBytes.length !== 32) throw new Malformed("its root is not a hash of 32 bytes");
  const signatures = lines.slice(0, -1).split("\n").map(parseSignature);
  return { origin, size: Number(size), root: rootBytes, text: `${origin}\n${size}\n${root}\n`, signatures, note };
}

function parseSignature(line) {
  const found = /^\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)$/.exec(line);
  if (!found) throw new Malformed("a signature line is not as it must be");
  const bytes = fromBase64(found[2]);
  if (bytes.length !== 4 + 64) throw new Malformed("a signature has not 64 bytes");
  return { name: found[1], keyId: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
}

/* Every signature must be by a key of the trust list that bears the log's name, and none twice. */
async function checkNote(text, keys) {
  const note = parseNote(text);
  const seen = new Set();
  for (const { name, keyId, signature } of note.signatures) {
    const key = keys.find((one) => one.keyId === keyId && one.name === name);
    if (name !== note.origin || !key) throw new Malformed("it is signed by a key that is not in the trust list");
    if (seen.has(keyId)) throw new Malformed("it is signed twice by one key");
    seen.add(keyId);
    if (!(await isSignedBy(key, signature, bytesOf(note.text)))) throw new Malformed("its signature does not fit");
  }
  return note;
}

async function isSignedBy(key, signature, bytes) {
  let known;
  try {
    known = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (await knowsEd25519()) return false;
    throw new NoEd25519(String(error));
  }
  return crypto.subtle.verify({ name: "Ed25519" }, known, signature, bytes);
}

/* The public key of RFC 8032 section 7.1, test 1: a browser that cannot take it knows no Ed25519. */
const KNOWN_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

async function knowsEd25519() {
  try {
    const raw = fromBase64url(KNOWN_KEY);
    await crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

/* The keys of a trust.json. Throws Malformed. */
async function readTrust(text) {
  const trust = readCanonical(text);
  if (!hasKeys(trust, ["v", "origin", "keys", "tsa"]) || trust.v !== 1) throw new Malformed("its fields are not known");
  if (!isOrigin(trust.origin) || !Array.isArray(trust.keys) || !Array.isArray(trust.tsa)) {
    throw new Malformed("its fields are not as they must be");
  }
  if (trust.keys.length === 0) throw new Malformed("it names no key");
  if (!trust.tsa.every(isCertificate)) throw new Malformed("a time stamp authority is not one certificate in PEM");
  const keys = await Promise.all(trust.keys.map((key) => readKey(key, trust.origin)));
  if (new Set(keys.map((key) => key.fingerprint)).size < keys.length) throw new Malformed("it names a key twice");
  return { origin: trust.origin, keys };
}

const isOrigin = (text) => typeof text === "string" && /^[a-z0-9.-]+\/[a-z0-9./-]+$/.test(text);

function isCertificate(pem) {
  const found = typeof pem === "string" ? /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?$/.exec(pem) : null;
  try {
    return found !== null && fromBase64(found[1].replaceAll("\n", "")).length > 0;
  } catch {
    return false;
  }
}

/* Points of small order, by their y: under such a "key" a signature fits every text. And every y of 2^255 - 19 or more,
   which is a second spelling of a smaller one. */
const PRIME = 2n ** 255n - 19n;
const ORDER_EIGHT = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n;

function isWeak(raw) {
  const y = BigInt(`0x${hex(Uint8Array.from(raw).reverse())}`) % 2n ** 255n;
  return y >= PRIME || [0n, 1n, PRIME - 1n, ORDER_EIGHT, PRIME - ORDER_EIGHT].includes(y);
}

async function readKey(key, origin) {
  if (!hasKeys(key, ["name", "algorithm", "public"]) || key.algorithm !== "ed25519" || key.name !== origin) {
    throw new Malformed("a key is not an Ed25519 key of this log");
  }
  const raw = fromBase64url(key.public);
  if (raw.length !== 32 || isWeak(raw)) throw new Malformed("a key is not one that can be trusted");
  const id = await sha256(joined(bytesOf(key.name), Uint8Array.of(0x0a, 0x01), raw));
  return { name: key.name, raw, keyId: hex(id.subarray(0, 4)), fingerprint: inFours(hex(await sha256(raw))) };
}
