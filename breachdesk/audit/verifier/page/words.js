/* Events in plain words: the sentences of the product, filled with what the event carries. */

/* {type: {sentence, required, allowed, private}}, from the product's table of events. */
const EVENTS = /* EVENTS */ {} /* END EVENTS */;

const MOMENTS = {
  aware: "we became aware",
  told_by_processor: "the processor told us",
  began: "the breach began",
  ended: "the breach ended",
  contained: "it was contained",
};

const LANGUAGES = new Intl.DisplayNames("en-GB", { type: "language", fallback: "code" });

function sentenceOf({ type, data }) {
  const kind = entryOf(EVENTS, type);
  if (!kind) return type;
  return kind.sentence.replace(/\{(\w+)\}/g, (_, name) => {
    if (name === "moment") return momentWords(data);
    if (name === "estimate") return estimateWords(data.low, data.high);
    return wordsFor(name, data[name]);
  });
}

function momentWords({ at, zone, precision }) {
  if (at === null || at === undefined) return "not known";
  return `${precision === "about" ? "about " : ""}${timeWords(at, zone || "UTC")}`;
}

function estimateWords(low, high) {
  const [from, to] = [low ?? null, high ?? null];
  if (from === null && to === null) return "not known";
  if (to === null) return `at least ${wordsFor("", from)}`;
  if (from === null) return `at most ${wordsFor("", to)}`;
  return from === to ? wordsFor("", from) : `${wordsFor("", from)} to ${wordsFor("", to)}`;
}

function wordsFor(name, value) {
  if (value === null || value === undefined) return "not known";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return told(value);
  if (Array.isArray(value)) return value.map((item) => wordsFor(name, item)).join(", ") || "none";
  if (typeof value === "object") return writeCanonicalLoosely(value);
  if (name === "language") return languageName(value);
  if (microseconds(value) !== null) return timeWords(value, "UTC");
  return entryOf(MOMENTS, value) ?? value.replaceAll("_", " ");
}

function writeCanonicalLoosely(value) {
  return Object.entries(value).map(([key, item]) => `${key}: ${wordsFor(key, item)}`).join("; ");
}

function languageName(code) {
  try {
    return LANGUAGES.of(code) ?? code;
  } catch {
    return code;
  }
}

function timeWords(text, zone) {
  const options = { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (microseconds(text) === null) return String(text);
  try {
    const words = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(new Date(`${text.slice(0, 19)}Z`));
    return `${words.replace(" at ", ", ")} (${zone})`;
  } catch {
    return zone === "UTC" ? text : timeWords(text, "UTC");
  }
}

/* To the second, for the details of an event. */
const secondWords = (text) =>
  `${timeWords(text, "UTC").replace(/, \d\d:\d\d| at \d\d:\d\d/, `, ${text.slice(11, 19)}`)}`;

const dayWords = (text) =>
  new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })
    .format(new Date(`${text.slice(0, 10)}T00:00:00Z`));

const LABELS = {
  sha256: "SHA-256", file_sha256: "SHA-256 of the file", n: "Entry", inc_n: "Place in the incident", inc_leaf: "Entry before", ico: "ICO", id: "Identifier",
  rows_root: "Root over the rows", recipients_root: "Root over the list", at: "When", v: "Version", url: "Address",
};

function label(key) {
  const known = entryOf(LABELS, key);
  if (known) return known;
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function actorName(actor, names) {
  if (actor.kind === "system") return "BreachDesk";
  return names.get(actor.id) ?? `Colleague ${actor.id.slice(0, 4)}…`;
}
