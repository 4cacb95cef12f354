/* Building the page. Data comes from a file that may be hostile: it only ever becomes text nodes. */

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/* Characters nobody sees, among them those that turn the direction of a line: their number is shown in their place. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/* Data as text, kept apart from the direction of the words around it. */
function said(text) {
  const holder = make("bdi");
  let at = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const number = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    holder.append(text.slice(at, found.index), make("span", { class: "unseen" }, `U+${number}`));
    at = found.index + found[0].length;
  }
  holder.append(text.slice(at));
  return holder;
}

function moment(text, words = (one) => timeWords(one, "UTC")) {
  return make("time", { datetime: text }, words(text));
}

const isHashText = (text) => /^[A-Za-z0-9_-]{43}$/.test(text) && isHash(text);

function hash(text) {
  const shown = isHashText(text) ? inFours(hex(hashFrom(text))) : text;
  return make("span", { class: "hash" }, shown);
}

const LONG = 120;

/* One value of a section or an event, whatever it is. */
function shown(value, key = "", names = new Map()) {
  if (typeof value === "string") {
    if (microseconds(value) !== null) return moment(value);
    if (isHashText(value)) return hash(value);
    if (isUuid(value)) return names.has(value) ? said(names.get(value)) : make("span", { class: "ref" }, value);
    if (key === "language") return said(languageName(value));
    if (value.includes("\n") || value.length > LONG) return make("div", { class: "letter" }, said(value));
    return value === "" ? make("span", { class: "none" }, "Nothing") : said(value);
  }
  if (Array.isArray(value)) return shownList(value, key, names);
  if (value !== null && typeof value === "object") return facts(Object.entries(value), names);
  return said(value === null ? "–" : wordsFor(key, value));
}

function shownList(values, key, names) {
  if (values.length === 0) return make("span", { class: "none" }, "None");
  const isSimple = values.every((value) => value === null || typeof value !== "object");
  if (isSimple && values.every((value) => String(value).length < 60)) {
    return said(values.map((value) => wordsFor(key, value)).join(", "));
  }
  return make("ol", { class: "records" }, ...values.map((value) => make("li", {}, shown(value, key, names))));
}

function facts(pairs, names = new Map(), kind = "facts") {
  const list = make("dl", { class: kind });
  for (const [key, value] of pairs) {
    const content = value instanceof Node ? value : shown(value, key, names);
    list.append(make("div", {}, make("dt", {}, said(label(key))), make("dd", {}, content)));
  }
  return make("div", { class: "holds" }, list);
}

function section(id, title, lead, ...children) {
  return make(
    "section",
    { id, class: "section", "aria-labelledby": `${id}-h` },
    make("header", {}, make("h2", { id: `${id}-h` }, title)),
    lead ? make("p", { class: "lead" }, lead) : null,
    ...children,
  );
}

function state(tone, shape, words) {
  return make("span", { class: "state", "data-tone": tone }, icon(shape), words);
}

function table(caption, heads, rows) {
  return make(
    "table",
    { class: "ledger folds" },
    make("caption", { class: "visually-hidden" }, caption),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make(
      "tbody",
      {},
      ...rows.map((cells) =>
        make("tr", {}, ...cells.map((cell, i) =>
          i === 0 ? make("th", { scope: "row" }, cell) : make("td", { "data-label": heads[i] }, cell))),
      ),
    ),
  );
}
