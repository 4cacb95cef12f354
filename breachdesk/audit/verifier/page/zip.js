/* The bundle's ZIP: stored members in ascending order of name, and not one byte besides. Instead of reading what the
   headers claim, every header is written anew from name, content and place, and compared. */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

async function crc32(bytes, pace) {
  let crc = 0xffffffff;
  for (let start = 0; start < bytes.length; start += 1 << 22) {
    const end = Math.min(bytes.length, start + (1 << 22));
    for (let i = start; i < end; i += 1) crc = CRC_TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
    await pace();
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function littleEndian(...fields) {
  const bytes = [];
  for (const [value, size] of fields) {
    for (let i = 0; i < size; i += 1) bytes.push(Math.floor(value / 256 ** i) % 256);
  }
  return Uint8Array.from(bytes);
}

const DAY_ONE = 0x0021;
const shared = (crc, size, name) => [
  [20, 2], [0, 2], [0, 2], [0, 2], [DAY_ONE, 2], [crc, 4], [size, 4], [size, 4], [name.length, 2], [0, 2],
];

function localHeader(name, crc, size) {
  return joined(littleEndian([0x04034b50, 4], ...shared(crc, size, name)), name);
}

function centralHeader(name, crc, size, offset) {
  const head = [[0x02014b50, 4], [0x0014, 2], ...shared(crc, size, name)];
  return joined(littleEndian(...head, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), name);
}

function endRecord(count, length, offset) {
  return littleEndian([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [length, 4], [offset, 4], [0, 2]);
}

const END = 22;
const CENTRAL = 46;

/* Name and content of every member. Throws Malformed when one byte is not what this bundle's ZIP must hold there. */
async function readZip(bytes, pace) {
  if (bytes.length < END) throw new Malformed("it is too short to be a ZIP file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(bytes.length - 12, true);
  const directory = view.getUint32(bytes.length - 6, true);
  const members = new Map();
  const headers = [];
  let at = 0;
  let entry = directory;
  let before = null;
  for (let i = 0; i < count; i += 1) {
    if (entry + CENTRAL > bytes.length) throw new Malformed("its directory is cut short");
    const size = view.getUint32(entry + 24, true);
    const name = bytes.subarray(entry + CENTRAL, entry + CENTRAL + view.getUint16(entry + 28, true));
    const start = at + 30 + name.length;
    if (start + size > directory || directory > bytes.length) throw new Malformed("a member reaches beyond its end");
    const content = bytes.subarray(start, start + size);
    const crc = await crc32(content, pace);
    const label = String.fromCharCode(...name);
    if (before !== null && !(before < label)) throw new Malformed("its members are not in ascending order of name");
    before = label;
    if (!same(localHeader(name, crc, size), bytes.subarray(at, start))) {
      throw new Malformed(`the header of “${label}” does not fit its content`);
    }
    headers.push(centralHeader(name, crc, size, at));
    members.set(label, content);
    at = start + size;
    entry += CENTRAL + name.length;
  }
  const rest = joined(...headers);
  if (at !== directory || !same(joined(rest, endRecord(count, rest.length, at)), bytes.subarray(at))) {
    throw new Malformed("its directory does not fit its members");
  }
  return members;
}
