/* The sections of a bundle: what the organisation states, beside the entries of the log that carry the same hash. */

const TITLES = {
  incident: "The incident",
  people: "The people affected",
  notices: "The notices",
  filings: "The filings",
  people_of_record: "Who is named in it",
};
const NAME_KEYS = ["colleagues", "users", "staff", "actors", "names"];
const HEADINGS = ["title", "subject", "name", "label", "question", "form", "reference", "kind"];
const INCIDENTAL = ["v", "id"];

function sectionsByName(run) {
  const named = new Map(Object.entries(run.sections).map(([name, content]) => [name.slice(9, -5), content]));
  const order = Object.keys(TITLES).filter((name) => named.has(name));
  return new Map([...order, ...[...named.keys()].filter((name) => !order.includes(name))].map((name) => [name, named.get(name)]));
}

/* Colleagues by name, when the bundle names them; the log itself knows only their numbers. */
function namesIn(run) {
  const names = new Map();
  for (const section of Object.values(run.sections)) {
    for (const key of NAME_KEYS.filter((one) => one in section)) takeNames(section[key], names);
  }
  return names;
}

function takeNames(value, names) {
  if (Array.isArray(value)) {
    for (const one of value) if (isText(one?.id) && isText(one?.name)) names.set(one.id, one.name);
  } else if (value !== null && typeof value === "object") {
    for (const [id, name] of Object.entries(value)) if (isText(name)) names.set(id, name);
  }
}

/* Where a digest stands in the log, and the hashes of texts that claim one. */
async function digestsIn(run) {
  const digests = { entries: new Map(), texts: new Map() };
  for (const one of run.own) {
    const digest = one.body?.data.digest;
    if (isText(digest)) digests.entries.set(digest, [...(digests.entries.get(digest) ?? []), one.n]);
  }
  const walk = async (value) => {
    if (value === null || typeof value !== "object") return;
    if (isText(value.content)) digests.texts.set(value.content, base64url(await sha256(bytesOf(value.content))));
    for (const item of Object.values(value)) await walk(item);
  };
  for (const section of Object.values(run.sections)) await walk(section);
  return digests;
}

function sectionPart(name, content, shelf) {
  const pairs = Object.entries(content).filter(([key]) => key !== "v");
  const title = entryOf(TITLES, name) ?? label(name);
  if (name === "people_of_record" && isRecords(content.users)) {
    const rows = content.users.map(({ id, name: who, roles }) => [shown(who), shown(roles ?? null, "roles"), make("span", { class: "ref" }, said(String(id)))]);
    return section(`section-${name}`, title, "The log knows colleagues by number. The organisation says these are they.", table(title, ["Name", "Roles", "Number in the log"], rows));
  }
  const lead = "As the organisation states it. The log holds the hash of this section.";
  return section(`section-${name}`, title, lead, ...contentOf(pairs, shelf, "h3", entryOf(TITLES, name)));
}

const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isRecords = (value) => Array.isArray(value) && value.length > 0 && value.every(isRecord);
const isNested = (value) => isRecords(value) || (isRecord(value) && Object.values(value).some((one) => one !== null && typeof one === "object"));

const below = (level) => `h${Math.min(6, Number(level[1]) + 1)}`;

/* Single values first, as one list; then each list of records under its own heading. */
function contentOf(pairs, shelf, level, above = "") {
  const isTold = (value) => value !== null && !(Array.isArray(value) && value.length === 0);
  const simple = pairs.filter(([key, value]) => !isNested(value) && isTold(value) && !(INCIDENTAL.includes(key) && isText(value)));
  const nested = pairs.filter(([, value]) => isNested(value));
  const isNamed = (key) => nested.length > 1 || !above.toLowerCase().endsWith(key);
  return [
    simple.length ? facts(simple.map(([key, value]) => [key, valueOf(key, value, shelf)]), shelf.names, level === "h3" ? "facts" : "facts small") : null,
    ...nested.map(([key, value]) =>
      make(
        "div",
        { class: "group" },
        isNamed(key) ? make(level, {}, said(label(key))) : null,
        ...(Array.isArray(value) ? value : [value]).map((item) => recordOf(item, shelf, isNamed(key) ? below(level) : level)),
      ),
    ),
  ];
}

function valueOf(key, value, shelf) {
  const isDigest = key === "digest" && isText(value) && isHash(value);
  if (!isDigest) return isText(value) && isCode(value) ? said(wordsFor(key, value)) : shown(value, key, shelf.names);
  const places = shelf.digests.entries.get(value) ?? [];
  const links = places.flatMap((n) => [" ", make("a", { href: `#entry-${n}` }, `#${told(n)}`)]);
  return make("div", {}, hash(value), make("small", {}, ...(links.length ? ["The log holds it in entries", ...links] : ["No entry of the incident holds it"])));
}

const isCode = (value) => /^[a-z]+(_[a-z]+)*$/.test(value);

function recordOf(item, shelf, level) {
  if (isText(item.content) && isText(item.digest)) return signedOf(item, shelf, level);
  if (isCount(item.revision) && isText(item.language)) return editionOf(item, shelf, level);
  const heading = HEADINGS.find((key) => isText(item[key]) && item[key] !== "" && item[key].length < 200);
  const rest = Object.entries(item).filter(([key]) => key !== heading);
  const title = heading === "form" ? formTitle(item) : heading ? wordsFor(heading, item[heading]) : null;
  return make("article", { class: "record" }, title ? make(level, {}, said(capital(title))) : null, ...contentOf(rest, shelf, title ? below(level) : level));
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/* The form calls itself by its title in each version that was signed. */
function formTitle({ form, versions }) {
  const signed = isRecords(versions) ? versions.map((one) => (isText(one.content) ? readForm(one.content)?.form?.title : null)) : [];
  return signed.find(isText) ?? wordsFor("form", form);
}

/* What was last saved as the words of an edition, where the bundle opens it. */
function savedWords(run) {
  const saved = new Map();
  for (const { n, body, opened } of run.own) {
    if (body?.type === "edition.saved" && body.object && opened?.has("subject") && opened.has("body")) {
      saved.set(body.object.id, { n, subject: opened.get("subject"), body: opened.get("body") });
    }
  }
  return saved;
}

function wordsState({ id, subject, body }, shelf) {
  const saved = shelf.saved.get(id);
  if (!saved || !isText(body)) return null;
  return saved.subject === subject && saved.body === body
    ? state("good", "check", `Word for word what entry #${told(saved.n)} recorded`)
    : state("alarm", "octagon-x", `Not the words that entry #${told(saved.n)} recorded`);
}

/* One language and revision of a notice: its approved words as a letter, then what became of it. */
function editionOf(item, shelf, level) {
  const { subject, body, language, revision, ...rest } = item;
  const words = isText(subject) || isText(body)
    ? make("div", { class: "letter" }, isText(subject) ? make("strong", {}, said(subject)) : null, isText(body) ? make("div", {}, said(body)) : null)
    : make("p", { class: "none" }, "Its words are a draft, which states nothing: it was not approved.");
  return make(
    "article",
    { class: "record" },
    make(level, {}, said(`${languageName(language)} edition, revision ${told(revision)}`)),
    words,
    wordsState(item, shelf),
    ...contentOf(Object.entries(rest), shelf, below(level)),
  );
}

/* A text that was signed to the byte: hashed here, and laid out when it is a form with questions. */
function signedOf(item, shelf, level) {
  const isSame = shelf.digests.texts.get(item.content) === item.digest;
  const isSigned = isSame && shelf.digests.entries.has(item.digest);
  const form = readForm(item.content);
  const rest = Object.entries(item).filter(([key]) => key !== "content");
  const proof = isSigned
    ? state("good", "check", "The log holds the hash of this very text")
    : state("alarm", "octagon-x", isSame ? "No sign-off in the log is of this text" : "This text is not the one its hash was made of");
  const title = [form?.form?.title ?? null, item.number ? `version ${item.number}` : null].filter(Boolean).join(", ");
  return make(
    "article",
    { class: "record" },
    title ? make(level, {}, said(capital(title))) : null,
    make("p", {}, proof),
    ...contentOf(rest, shelf, title ? below(level) : level),
    form ? make("div", { class: "form" }, ...form.sections.map((part) => formPart(part, title ? below(level) : level))) : make("div", { class: "letter" }, said(item.content)),
  );
}

function readForm(text) {
  try {
    const form = readCanonical(text);
    return isRecords(form.sections) && form.sections.every((part) => Array.isArray(part.questions) && part.questions.every(isRecord)) ? form : null;
  } catch {
    return null;
  }
}

function formPart({ number, title, questions }, level) {
  const heading = [number, title].filter((one) => one !== undefined && one !== null).join(". ");
  const list = make("dl", { class: "facts answers" });
  for (const question of questions) {
    const asked = [question.number, question.label].filter((one) => one !== undefined && one !== null).join(" ");
    const answer = isText(question.text) && question.text ? question.text : question.answer ?? null;
    list.append(make("div", {}, make("dt", {}, said(asked)), make("dd", {}, shown(answer), question.not_known ? make("small", {}, said(notKnownWords(question.not_known))) : null)));
  }
  return make("div", { class: "group" }, make(level, {}, said(heading)), list);
}

function notKnownWords({ said: words, promised_on: day, so_far: soFar }) {
  return [words, day ? `promised for ${day}` : null, soFar].filter(isText).join(", ");
}
