/* BreachDesk: progressive enhancement only. Every page works without this file.
   1 clocks   2 theme   3 dialogs   4 editor marks   5 tabs   6 dismissals   7 unsaved work   8 connection
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
        if (!known.has(nameOf(hit[1]))) mark.className = "bad";
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

  /* 5. Bring the current tab of a sideways list into sight. */
  function bringIntoSight(here) {
    const list = here.parentElement;
    list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2;
  }

  /* 6. Things that can be put away. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (button) button.closest("[data-dismissable]").remove();
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

  function setUp(part) {
    const each = (selector, work) => {
      if (part.matches && part.matches(selector)) work(part);
      $$(selector, part).forEach(work);
    };
    each("[data-must-match]", needMatch);
    each(".editor", paintMarks);
    each("form[data-guard]", guard);
    each(":is(.subnav, .tabs, .side-index) [aria-current]", bringIntoSight);
    each(".error-summary", (summary) => summary.focus());
    tick();
  }
  setUp(document);
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) setUp(event.detail.elt); });
})();
