/* Bytes and their spellings. Every reader here accepts one spelling of a value and no other. */

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /\p{Surrogate}/u;

class Malformed extends Error {}

/* What a table says of a key that comes from data. Keys like "constructor" are in no table of ours. */
const entryOf = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

function textOf(bytes) {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new Malformed("it is not UTF-8 text");
  }
}

function bytesOf(text) {
  if (LONE_SURROGATE.test(text)) throw new Malformed("it holds half a character (a lone surrogate)");
  return utf8.encode(text);
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const inFours = (text) => text.match(/.{1,4}/g).join(" ");

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

const base64url = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/* RFC 4648 section 4, with padding, and with zero bits at the end: one spelling per value. */
function fromBase64(text) {
  let raw;
  try {
    raw = atob(text);
  } catch {
    raw = null;
  }
  if (raw === null || btoa(raw) !== text) throw new Malformed("it is not base64 as this file writes it");
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

/* RFC 4648 section 5, without padding. */
function fromBase64url(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text)) throw new Malformed("it is not base64url");
  const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
  return fromBase64(padded);
}

function hashFrom(text) {
  const bytes = fromBase64url(text);
  if (bytes.length !== 32) throw new Malformed("it is not a hash of 32 bytes");
  return bytes;
}

const isHash = (text) => {
  try {
    return hashFrom(text).length === 32;
  } catch {
    return false;
  }
};

/* Times are "2026-11-21T09:30:00.000000Z", compared as whole microseconds. Returns null for every other text. */
function microseconds(text) {
  if (typeof text !== "string") return null;
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/.exec(text);
  if (!parts) return null;
  const seconds = Date.parse(`${parts[1]}Z`);
  if (Number.isNaN(seconds) || new Date(seconds).toISOString().slice(0, 19) !== parts[1] || parts[1] < "0001") {
    return null;
  }
  return BigInt(seconds) * 1000n + BigInt(parts[2]);
}

const isUuid = (text) => typeof text === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
