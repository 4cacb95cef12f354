/* Start: the bundle inside the page, or a file that somebody picks or drops. */

window.bundleVerdict = null;
const given = { source: null, trusted: null, trustName: null, keptTexts: [], keptNames: [] };
let turn = 0;
let last = null;

async function judge(options) {
  const { kind, content } = given.source;
  return kind === "zip" ? judgeZip(content, options) : judgeEmbedded(content, options);
}

async function run() {
  if (given.source === null) return;
  turn += 1;
  const mine = turn;
  showProgress("Reading the file", null);
  const { trusted, keptTexts } = given;
  const result = await judge({ trusted, keptTexts: [...keptTexts], onProgress: showProgress });
  if (mine !== turn) return; // something else was picked meanwhile
  byId("open").removeAttribute("aria-busy");
  byId("progress").hidden = true;
  showOpener();
  await showResult(result);
  last = result.verdict;
  window.bundleVerdict = last;
}

function showProgress(doing, share) {
  const box = byId("progress");
  byId("open").setAttribute("aria-busy", "true");
  box.hidden = false;
  box.querySelector("span").textContent = share === null ? doing : `${doing}, ${Math.floor(share * 100)} %`;
  const bar = box.querySelector("progress");
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/* The verdict on a bundle's bytes without showing it: for whoever drives this page from a script. */
window.verifyBundle = async (bytes, { trust = null, notes = [] } = {}) => {
  const trusted = trust === null ? null : await readTrust(trust);
  const content = typeof bytes === "string" ? Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0)) : new Uint8Array(bytes);
  return (await judgeZip(content, { trusted, keptTexts: notes })).verdict;
};

/* Opening files */

const picker = (id, words, hint, accept, onFiles, multiple = false) => {
  const input = make("input", { type: "file", id, accept, multiple, "aria-describedby": `${id}-hint` });
  input.addEventListener("change", () => take(onFiles, [...input.files]));
  return make("div", { class: "field" }, make("label", { for: id }, words), make("span", { class: "hint", id: `${id}-hint` }, hint), input);
};

/* Until what was given is judged, there is no verdict. */
function take(onFiles, files) {
  if (files.length === 0) return;
  window.bundleVerdict = null;
  byId("refused").hidden = true;
  onFiles(files);
}

function showOpener() {
  const isFirst = given.source === null;
  const zip = picker("pick", isFirst ? "Choose the bundle’s ZIP file" : "Check a ZIP file", "Or drop it anywhere on this page.", ".zip,application/zip", openZip);
  const more = [
    picker("pick-trust", "A trust file you got elsewhere", given.trustName ?? "trust.json from the organisation’s website, or an earlier one. Its keys are used instead of those in the bundle.", ".json", openTrust),
    picker("pick-notes", "Notes you kept", given.keptNames.length ? given.keptNames.join("; ") : "A note attached to a PDF or an e-mail. The log must extend it.", "", openNotes, true),
    pasteField(),
  ];
  const progress = make("p", { id: "progress", hidden: true }, make("span"), make("progress", { max: "1", "aria-label": "Checking" }));
  const fields = make("div", { class: "pickers" }, zip, ...(isFirst ? [] : more));
  const title = make("h2", { id: "open-h" }, isFirst ? "Open a bundle" : "Check it against what you kept");
  const lead = isFirst ? null : make("p", { class: "lead" }, "A copy that was outside the organisation is worth more than anything inside this file.");
  const box = byId("open");
  const focused = document.activeElement?.id;
  box.replaceChildren(make("header", {}, title), ...(lead ? [lead] : []), progress, make("p", { id: "refused", role: "alert", hidden: true }), fields);
  if (focused) byId(focused)?.focus();
}

function pasteField() {
  const area = make("textarea", { id: "paste", rows: "5", spellcheck: "false", autocomplete: "off", "aria-describedby": "paste-hint" });
  const button = make("button", { type: "button", class: "btn" }, "Check this note");
  button.addEventListener("click", () => take(keep, [[area.value.endsWith("\n") ? area.value : `${area.value}\n`, "A pasted note"]]));
  return make("div", { class: "field" }, make("label", { for: "paste" }, "Or paste a note"), make("span", { class: "hint", id: "paste-hint" }, "From its first line to the end of the signature."), area, make("p", {}, button));
}

function refuse(sentence) {
  byId("refused").textContent = sentence;
  byId("refused").hidden = false;
  window.bundleVerdict = last;
}

async function openZip([file]) {
  try {
    given.source = { kind: "zip", content: new Uint8Array(await file.arrayBuffer()) };
  } catch {
    refuse("This browser cannot read a file so large. Check it with bd_verify.py, which takes any size.");
    return;
  }
  await run();
}

async function openTrust([file]) {
  try {
    given.trusted = await readTrust(textOf(new Uint8Array(await file.arrayBuffer())));
    given.trustName = `${file.name} is used.`;
  } catch (error) {
    refuse(`“${file.name}” cannot be used as a trust file: ${error.message}. The keys used before stay in use.`);
    return;
  }
  await run();
}

async function openNotes(files) {
  const read = async (file) => {
    try {
      return [textOf(new Uint8Array(await file.arrayBuffer())), file.name];
    } catch {
      return ["", file.name];
    }
  };
  await keep(await Promise.all(files.map(read)));
}

async function keep(pairs) {
  for (const [text, name] of pairs) {
    try {
      parseNote(text);
    } catch (error) {
      refuse(`“${name}” is not a note: ${error.message}. It was not used.`);
      return;
    }
  }
  given.keptTexts.push(...pairs.map(([text]) => text));
  given.keptNames.push(...pairs.map(([, name]) => name));
  await run();
}

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  take(openZip, [...event.dataTransfer.files]);
});

showOpener();
const inside = byId("bundle").textContent;
if (inside.trim() === "null") {
  byId("title").textContent = "Check a bundle and read what happened";
} else {
  given.source = { kind: "embedded", content: inside };
  run();
}
