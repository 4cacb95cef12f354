/* Canonical JSON (RFC 8785), narrowed to what the trail writes: text in Unicode form NFC, integers below 2^53, no other
   numbers, keys ascending and so never twice. JSON.parse keeps the last of two equal keys and rounds big integers
   silently; this reader accepts the one canonical spelling of a value and refuses every other text. */

const DEEPEST = 60;
const SHORT_ESCAPES = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };
const PLAIN_RUN = /[^"\\\u0000-\u001f]*/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)/y;

class CanonicalReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    if (this.at !== this.text.length) this.refuse("something follows the value");
    return value;
  }

  refuse(why) {
    throw new Malformed(`it is not canonical JSON: ${why}, at character ${this.at + 1}`);
  }

  value(depth) {
    if (depth > DEEPEST) this.refuse("it is nested too deeply");
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth + 1);
      case "[":
        return this.array(depth + 1);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.integer();
    }
  }

  word(word, value) {
    if (!this.text.startsWith(word, this.at)) this.refuse("an unknown word");
    this.at += word.length;
    return value;
  }

  integer() {
    INTEGER.lastIndex = this.at;
    const found = INTEGER.exec(this.text);
    if (!found || found[0] === "-0") this.refuse("a value it does not know");
    const value = Number(found[0]);
    if (!Number.isSafeInteger(value)) this.refuse("an integer of 2^53 or more");
    this.at += found[0].length;
    if (".eE".includes(this.text[this.at] ?? " ")) this.refuse("a number that is not an integer");
    return value;
  }

  string() {
    this.at += 1;
    let value = "";
    for (;;) {
      PLAIN_RUN.lastIndex = this.at;
      const run = PLAIN_RUN.exec(this.text)[0];
      value += run;
      this.at += run.length;
      const next = this.text[this.at];
      if (next === '"') break;
      if (next !== "\\") this.refuse("a text without its end, or with a control character");
      value += this.escape();
    }
    this.at += 1;
    if (/[^\u0000-\u007f]/.test(value)) {
      if (LONE_SURROGATE.test(value)) this.refuse("half a character");
      if (value.normalize("NFC") !== value) this.refuse("text that is not in Unicode form NFC");
    }
    return value;
  }

  escape() {
    const letter = this.text[this.at + 1];
    if (letter in SHORT_ESCAPES) {
      this.at += 2;
      return SHORT_ESCAPES[letter];
    }
    const code = /^\\u(00[01][0-9a-f])/.exec(this.text.substr(this.at, 6));
    const value = code ? String.fromCharCode(parseInt(code[1], 16)) : "";
    if (!code || "\b\t\n\f\r".includes(value)) this.refuse("a character that is written in another way");
    this.at += 6;
    return value;
  }

  array(depth) {
    const items = [];
    this.at += 1;
    if (this.text[this.at] === "]") {
      this.at += 1;
      return items;
    }
    for (;;) {
      items.push(this.value(depth));
      const next = this.text[this.at];
      this.at += 1;
      if (next === "]") return items;
      if (next !== ",") this.refuse("a list without its comma");
    }
  }

  /* No prototype: a key named "__proto__" is a key like every other. */
  object(depth) {
    const found = Object.create(null);
    this.at += 1;
    if (this.text[this.at] === "}") {
      this.at += 1;
      return found;
    }
    let before = null;
    for (;;) {
      if (this.text[this.at] !== '"') this.refuse("an object without a key");
      const key = this.string();
      if (before !== null && !(before < key)) this.refuse("keys twice or out of order");
      before = key;
      if (this.text[this.at] !== ":") this.refuse("a key without a value");
      this.at += 1;
      found[key] = this.value(depth);
      const next = this.text[this.at];
      this.at += 1;
      if (next === "}") return found;
      if (next !== ",") this.refuse("an object without its comma");
    }
  }
}

/* The object in a canonical text. Throws Malformed for everything else. */
function readCanonical(text) {
  const value = new CanonicalReader(text).whole();
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Malformed("it is not an object");
  return value;
}

const CONTROL = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

function quoted(text) {
  const escaped = text.replace(
    /["\\\u0000-\u001f]/g,
    (letter) => CONTROL[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/* Canonical text of an object of texts, as the manifest of the sections needs it. */
function writeCanonical(value) {
  if (typeof value === "string") return quoted(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${quoted(key)}:${writeCanonical(value[key])}`).join(",")}}`;
}

/* The bundle embedded in this page: JSON with keys sorted, ASCII only, and "<" written as an escape, so that no text
   of the bundle can end the element it stands in. */
function writeEmbedded(files) {
  const ascii = (text) =>
    quoted(text).replace(/[<\u007f-\uffff]/g, (letter) => {
      const code = letter.charCodeAt(0);
      return `\\u${code.toString(16).padStart(4, "0")}`;
    });
  const names = [...files.keys()].sort();
  return `{${names.map((name) => `${ascii(name)}:${ascii(files.get(name))}`).join(",")}}`;
}

/* True when the object has just these keys. */
function hasKeys(value, names) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === names.length && names.every((name) => name in value);
}
