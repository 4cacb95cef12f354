/* BreachDesk: progressive enhancement only. Every page works without this file.
   1 clocks   2 theme   3 dialogs   4 editor marks   5 tabs   6 dismissals   7 unsaved work   8 connection   9 files   10 copying   11 answers
   Parts that htmx swaps in are set up as they arrive: setUp() runs on the page and on each new part. */
(() => {
  "use strict";
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  /* 1. Clocks. The server says what time it is; the reader's laptop may be wrong.
     Seconds appear only in the last hour: before that they frighten and do not help. */
  const drift = root.dataset.now ? Date.parse(root.dataset.now) - Date.now() : 0;
  const two = (n) => String(n).padStart(2, "0");
  function spell(ms) { /* pairs of number and unit, the two that matter */
    const s = Math.floor(Math.abs(ms) / 1000);
    const d = Math.floor(s / 86400), h = Math.floor(s / 3600), m = Math.floor((s % 3600) / 60);
    if (h >= 96) return [[d, "d"], [two(h % 24), "h"]];
    if (h >= 1) return [[h, "h"], [two(m), "m"]];
    return [[m, "m"], [two(s % 60), "s"]];
  }
  function show(el, pairs) {
    el.replaceChildren(...pairs.flatMap(([n, unit], i) => {
      const u = document.createElement("span");
      u.className = "u";
      u.textContent = `\u202f${unit}`;
      return [`${i ? " " : ""}${n}`, u];
    }));
  }
  function markUrgency(el, ms) {
    const box = el.closest("[data-urgency]");
    if (!box) return;
    box.dataset.urgency = ms < 0 ? "over" : ms < 864e5 ? "soon" : "calm";
    const word = box.querySelector("[data-word]");
    if (word) word.textContent = ms < 0 ? "overdue" : "left";
  }
  function tick() {
    const now = Date.now() + drift;
    for (const el of $$("time[data-clock]")) {
      const at = Date.parse(el.dateTime);
      const ms = el.dataset.clock === "since" ? now - at : at - now;
      const pairs = spell(ms), key = pairs.join();
      if (el.dataset.shown === key) continue;
      el.dataset.shown = key;
      show(el, pairs);
      if (el.dataset.clock === "left") markUrgency(el, ms);
    }
  }
  setInterval(tick, 1000);

  /* 2. Theme: the system's, until the reader chooses. The server reads the cookie, so a page never flashes white. */
  for (const button of $$("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    });
  }

  /* 3. Dialogs. The opener is a link to a full confirmation page; the dialog saves a page load. */
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) { event.preventDefault(); dialog.showModal(); }
    const closer = event.target.closest("[data-close]");
    if (closer && closer.closest("dialog")) { event.preventDefault(); closer.closest("dialog").close(); }
  });
  function needMatch(field) {
    const go = field.form.querySelector("[data-needs-match]");
    const check = () => { go.disabled = field.value.trim() !== field.dataset.mustMatch; };
    field.addEventListener("input", check);
    check();
  }

  /* 4. Editor marks: repaint placeholders behind the text while it is typed.
     The server paints them first; unknown names come from data-known. */
  function paintMarks(box) {
    const area = box.querySelector("textarea"), back = box.querySelector("pre");
    const known = new Set((box.dataset.known || "").split("|"));
    const nameOf = (inside) => inside.split(/\||\?\?/)[0].replaceAll("_", " ").toLowerCase().trim().replace(/\s+/g, " ");
    const paint = () => {
      back.replaceChildren();
      let last = 0;
      for (const hit of area.value.matchAll(/\(\(([^()\n]*)\)\)/g)) {
        const mark = document.createElement("mark");
        mark.textContent = hit[0];
        const name = nameOf(hit[1]);
        mark.className = name.startsWith("covers ") ? "cover" : known.has(name) ? "" : "bad";
        back.append(area.value.slice(last, hit.index), mark);
        last = hit.index + hit[0].length;
      }
      back.append(area.value.slice(last), "\n");
    };
    if (document.activeElement !== area) area.setSelectionRange(area.value.length, area.value.length); /* a chip pressed first goes to the end */
    area.addEventListener("input", paint);
    for (const chip of $$("[data-insert]", box.closest("form") || document)) {
      chip.addEventListener("click", () => {
        area.setRangeText(`((${chip.dataset.insert}))`, area.selectionStart, area.selectionEnd, "end");
        area.focus();
        area.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
    paint();
  }

  /* A check's line is marked in the text. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]"), area = document.getElementById("id_body");
    if (!link || !area) return;
    event.preventDefault();
    const lines = area.value.split("\n"), line = Number(link.dataset.line);
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(start, start + (lines[line - 1] || "").length);
    const top = area.getBoundingClientRect().top + scrollY + area.offsetHeight * start / Math.max(1, area.value.length);
    scrollTo({ top: top - innerHeight / 3 });
  });

  /* 5. Bring the current tab of a sideways list into sight. */
  function bringIntoSight(here) {
    const list = here.parentElement;
    list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2;
  }
  /* A frame whose content has the focus matches no selector of ours. */
  const markFrame = () => document.querySelectorAll("iframe").forEach((frame) => {
    frame.classList.toggle("has-focus", frame === document.activeElement);
  });
  addEventListener("blur", markFrame);
  addEventListener("focus", markFrame);
  /* Tab brings in sight what was out of it, but not what was half in it. */
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(":is(.subnav, .tabs, .side-index) > :focus-visible")) target.scrollIntoView({ block: "nearest", inline: "nearest" });
  });

  /* 6. Things that can be put away. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) button.closest("[data-dismissable]").remove();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of $$(":is(.account, .menu)[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of $$(":is(.account, .menu)[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("focusin", ({ target }) => {
    for (const menu of $$(":is(.account, .menu)[open]")) if (!menu.contains(target)) menu.open = false;
  });

  /* 7. Do not lose a form filled in at 3am. */
  function guard(form) {
    let dirty = false;
    form.addEventListener("input", () => { dirty = true; });
    form.addEventListener("submit", (event) => { if (!event.submitter?.formTarget) dirty = false; });
    form.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) dirty = false; });
    addEventListener("beforeunload", (event) => { if (dirty && form.isConnected) event.preventDefault(); });
  }

  /* 8. Connection. If an answer does not come, the page says how old its numbers are. */
  const connection = document.getElementById("connection");
  if (connection) {
    addEventListener("htmx:sendError", () => { connection.hidden = false; });
    addEventListener("htmx:timeout", () => { connection.hidden = false; });
    addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) connection.hidden = true; });
  }

  /* 9. A file on its way: drop it anywhere on the page; what is sent is told in bytes. It leaves when its button is pressed. */
  const dropForm = () => document.querySelector("form[data-drop]");
  const bringsFiles = (event) => dropForm() && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    dropForm().dataset.over = "";
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) delete dropForm()?.dataset.over; });
  document.addEventListener("drop", (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    const form = dropForm(), input = form.querySelector("input[type=file]"), one = new DataTransfer();
    delete form.dataset.over;
    if (form.dataset.sending !== undefined || !event.dataTransfer.files.length) return;
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    form.querySelector("[type=submit]").focus();
  });
  const inBytes = (size) => {
    const step = size < 1024 ** 2 ? 1 : size < 1024 ** 3 ? 2 : 3;
    return `${(size / 1024 ** step).toFixed(1)}\u00a0${["", "KB", "MB", "GB"][step]}`;
  };
  function tellBytes(form) {
    const file = form.querySelector("input[type=file]"), box = form.querySelector("[data-sent]");
    const bar = box.querySelector("progress"), told = box.querySelector("[data-told]");
    let began = 0, stopped = false;
    const end = () => { delete form.dataset.sending; box.hidden = true; };
    const broke = () => { box.hidden = false; bar.value = 0; told.textContent = "The connection broke. Nothing of the file was kept; hand it in again."; };
    file.addEventListener("change", () => {
      const chosen = file.files[0];
      form.querySelector("[data-chosen]").textContent = chosen ? `${chosen.name}, ${inBytes(chosen.size)}` : "";
    });
    form.addEventListener("htmx:beforeSend", () => { began = Date.now(); stopped = false; form.dataset.sending = ""; box.hidden = false; });
    form.addEventListener("htmx:xhr:progress", ({ detail }) => {
      if (!detail.total || detail.total < (file.files[0]?.size ?? 0)) return; /* of the answer, not of the file */
      const seconds = (Date.now() - began) / 1000, left = Math.round(seconds * (detail.total - detail.loaded) / detail.loaded);
      bar.max = detail.total;
      bar.value = detail.loaded;
      told.textContent = detail.loaded === detail.total ? "All of it is here and is being sealed."
        : `${inBytes(detail.loaded)} of ${inBytes(detail.total)} sent${seconds > 2 ? `, about ${left} s left` : ""}`;
    });
    form.querySelector("[data-stop]").addEventListener("click", () => { stopped = true; htmx.trigger(form, "htmx:abort"); });
    form.addEventListener("htmx:beforeOnLoad", end); /* before the answer leads to the next page */
    form.addEventListener("htmx:afterRequest", end);
    form.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.xhr.status === 0 && !stopped) broke(); });
    addEventListener("beforeunload", (event) => { if (form.isConnected && form.dataset.sending !== undefined) event.preventDefault(); });
  }

  /* 10. Copying: the text of one element, to the last space. Where the browser refuses, the text is marked for Ctrl+C. */
  function copies(button) {
    const word = button.querySelector("[data-copied]"), before = word.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        word.textContent = word.dataset.copied;
        setTimeout(() => { word.textContent = before; }, 2000);
      } catch {
        getSelection().selectAllChildren(text);
      }
    });
  }

  /* 11. Leaving an answer saves it: not a box of it, and not the window. htmx does the rest by its attributes. */
  function answers(box) {
    let touched = false;
    box.addEventListener("input", () => { touched = true; });
    box.addEventListener("focusout", () => setTimeout(() => {
      if (!touched || box.contains(document.activeElement)) return;
      touched = false;
      htmx.trigger(box, "left");
    }));
  }

  function setUp(part) {
    const each = (selector, work) => {
      if (part.matches && part.matches(selector)) work(part);
      $$(selector, part).forEach(work);
    };
    each("[data-must-match]", needMatch);
    each(".editor", paintMarks);
    each("form[data-guard]", guard);
    each("[data-copy]", copies);
    each("[data-answer]", answers);
    each("form[data-drop]", tellBytes);
    each(":is(.subnav, .tabs, .side-index) [aria-current]", bringIntoSight);
    each(".error-summary", (summary) => summary.focus());
    tick();
  }
  setUp(document);
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) setUp(event.detail.elt); });
})();
