/* The tree of RFC 6962, its proofs as RFC 9162 sections 2.1.3.2 and 2.1.4.2 verify them, and commitments. */

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const OPENING = Uint8Array.of(2);

const leafOf = (bytes) => sha256(joined(LEAF, bytes));
const nodeOf = (left, right) => sha256(joined(NODE, left, right));

async function commitmentOf(field, salt, value) {
  const name = bytesOf(field);
  return sha256(joined(OPENING, salt, Uint8Array.of(name.length >> 8, name.length & 255), name, bytesOf(value)));
}

/* Positions go beyond 2^31, where shifts of JavaScript end. */
const half = (n) => Math.floor(n / 2);
const isOdd = (n) => n % 2 === 1;

async function provesInclusion(leaf, index, size, proof, root) {
  let [position, last, reached] = [index, size - 1, leaf];
  if (index >= size) return false;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(position) || position === last) {
      reached = await nodeOf(sibling, reached);
      while (!isOdd(position) && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      reached = await nodeOf(reached, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && same(reached, root);
}

async function provesConsistency(old, oldRoot, size, root, proof) {
  if (old === size) return proof.length === 0 && same(oldRoot, root);
  if (old === 0) return proof.length === 0 && same(oldRoot, await sha256(new Uint8Array()));
  if (old > size || proof.length === 0) return false;
  const isPowerOfTwo = Number.isInteger(Math.log2(old)) && 2 ** Math.round(Math.log2(old)) === old;
  const path = isPowerOfTwo ? [oldRoot, ...proof] : proof;
  let [position, last] = [old - 1, size - 1];
  while (isOdd(position)) [position, last] = [half(position), half(last)];
  let reachedOld = path[0];
  let reached = path[0];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (isOdd(position) || position === last) {
      reachedOld = await nodeOf(sibling, reachedOld);
      reached = await nodeOf(sibling, reached);
      while (!isOdd(position) && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      reached = await nodeOf(reached, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && same(reachedOld, oldRoot) && same(reached, root);
}

/* The root over leaves, level by level: each level is hashed as one batch, and a node without a partner moves up. */
async function rootOf(leaves, pace) {
  if (leaves.length === 0) return sha256(new Uint8Array());
  let level = leaves;
  while (level.length > 1) {
    const above = new Array(Math.ceil(level.length / 2));
    await inBatches(half(level.length), pace, async (i) => {
      above[i] = await nodeOf(level[2 * i], level[2 * i + 1]);
    });
    if (isOdd(level.length)) above[above.length - 1] = level[level.length - 1];
    level = above;
  }
  return level[0];
}

const BATCH = 512;

/* Runs the work for 0 to count - 1, some hundred at a time, and lets the page breathe between. */
async function inBatches(count, pace, work) {
  for (let start = 0; start < count; start += BATCH) {
    const size = Math.min(BATCH, count - start);
    await Promise.all(Array.from({ length: size }, (_, i) => work(start + i)));
    await pace(start + size, count);
  }
}
