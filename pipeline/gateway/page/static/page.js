"use strict";
// The page works without this file. With it the page is live, and forms answer without a reload.

const body = document.body;
const byId = (id) => document.getElementById(id);
const MOST_ROWS = 300;
const SILENT = "The gateway does not answer. Is `twoway gateway` still running?";
document.documentElement.classList.add("js");

function elementOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html; // rendered and escaped by the server; the policy runs no inline script
  return holder.content.firstElementChild;
}

// --- what is shown ---------------------------------------------------------------------------

function show(panel, { focus = false } = {}) {
  body.dataset.panel = panel;
  for (const link of document.querySelectorAll("nav.panels a")) {
    if (link.dataset.panel === panel) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  history.replaceState(null, "", panel === "phones" ? "/" : `/?panel=${panel}`);
  if (focus) byId(panel === "phones" ? "phones-panel" : panel)?.focus({ preventScroll: true });
}

async function open(details) {
  const place = details.querySelector(".opened");
  if (!details.dataset.src || place.dataset.done) return;
  place.dataset.done = "1";
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(details.dataset.src);
    const text = await answer.text();
    if (!answer.ok) place.textContent = text;
    else place.innerHTML = text;
  } catch {
    delete place.dataset.done; // when it is opened again, it is loaded again
    place.textContent = SILENT;
  }
  place.removeAttribute("aria-busy");
}

function reveal(number) {
  const row = byId(`x${number}`);
  if (!row) return false;
  show("wire");
  row.hidden = false;
  const details = row.querySelector("details");
  details.open = true;
  details.querySelector("summary").focus({ preventScroll: true });
  row.scrollIntoView({ block: "start" });
  return true;
}

document.addEventListener("toggle", (event) => {
  if (event.target.open) open(event.target);
}, true);

document.addEventListener("click", (event) => {
  if (event.target.closest("#said button")) say("");
  if (event.target.id === "clear-find") showAll();
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.dataset.exchange && reveal(link.dataset.exchange)) event.preventDefault();
  else if (link.dataset.panel) {
    event.preventDefault();
    show(link.dataset.panel);
  } else if (link.closest("#tabs")) {
    event.preventDefault();
    const phone = byId(link.hash.slice(1));
    phone?.scrollIntoView({ inline: "start", block: "nearest" });
    phone?.querySelector("textarea").focus({ preventScroll: true });
    link.parentElement.classList.remove("news");
  }
});

// --- forms -----------------------------------------------------------------------------------

function say(words) {
  const place = byId("said");
  place.hidden = !words;
  place.firstElementChild.textContent = words;
}

async function send(form, submitter) {
  if (form.getAttribute("aria-busy")) return; // the first request is under way: a second would send the text twice
  form.setAttribute("aria-busy", "true");
  const fields = new URLSearchParams(new FormData(form, submitter));
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST", body: fields, headers: { Accept: "application/json" },
    });
  } catch {
    return say(SILENT);
  } finally {
    form.removeAttribute("aria-busy");
  }
  if (!answer.ok) return say((await answer.text()).trim());
  say("");
  const text = form.querySelector("textarea");
  if (text && !submitter?.value) {
    text.value = "";
    grow(text);
    measure(text);
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.live) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  if (event.target.matches?.(".composer textarea") && event.key === "Enter"
      && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
  if (event.key === "Escape") {
    say("");
    if (event.target.id === "find") showAll();
  }
  if (event.key === "/" && !event.target.matches?.("input, textarea")) {
    event.preventDefault();
    show("wire");
    byId("find").focus();
  }
});

function grow(text) {
  text.rows = Math.min(6, Math.max(1, text.value.split("\n").length, Math.ceil(text.value.length / 34)));
}

const waiting = new WeakMap();
function measure(text) {
  clearTimeout(waiting.get(text));
  const place = text.form.querySelector(".measure");
  if (!text.value) {
    place.textContent = "";
    return;
  }
  waiting.set(text, setTimeout(async () => {
    const said = await fetch("/measure", {
      method: "POST", body: new URLSearchParams({ text: text.value }),
    }).then((answer) => answer.text(), () => "");
    if (text.value) place.textContent = said.trim();
  }, 150));
}

document.addEventListener("input", (event) => {
  if (event.target.matches(".composer textarea")) {
    grow(event.target);
    measure(event.target);
  }
  if (event.target.id === "find") find();
});

function find() {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of byId("rows").children) {
    const text = row.dataset.find.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  const rows = [...byId("rows").children];
  byId("none-found").hidden = !rows.length || rows.some((row) => !row.hidden);
}

function showAll() {
  byId("find").value = "";
  find();
  byId("find").focus();
}

// --- live ------------------------------------------------------------------------------------

const isAtEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < 60;

function put({ target, into, html }) {
  const made = elementOf(html);
  const old = byId(target);
  if (!made) return;
  if (old) {
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const details = old.querySelector(":scope > details, .rest");
    if (details?.open && into !== "rows") made.querySelector("details")?.setAttribute("open", "");
    old.replaceWith(made);
    if (focused) byId(focused)?.focus();
    return;
  }
  const list = into && byId(into);
  if (!list) {
    if (into.startsWith("thread-")) missing = true;
    return;
  }
  if (into === "rows") {
    list.prepend(made);
    while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
    if (byId("find").value) find();
    return;
  }
  const follow = isAtEnd(list);
  list.append(made);
  made.classList.add("new");
  if (follow) list.scrollTop = list.scrollHeight;
  mark(list);
}

function mark(list) {
  const phone = list.closest(".phone");
  const where = phone.getBoundingClientRect();
  const strip = byId("phones").getBoundingClientRect();
  const isSeen = where.left < strip.right - 40 && where.right > strip.left + 40
    && byId("phones-panel").offsetParent;
  if (!isSeen) byId(`tab-${phone.dataset.handset}`)?.classList.add("news");
}

let held = null; // the places from the stream while the page is loaded again
function putAll(places) {
  if (held) {
    held.push(...places);
    return;
  }
  places.forEach(put);
  countFaults();
  const shown = byId("phones").querySelectorAll(".phone").length;
  if (missing && shown < body.dataset.mostPhones) anew();
  missing = false;
}

let missing = false; // an event is about a phone that is not on the page
let last = 0;
let waits = false;
async function anew() {
  if (waits) return;
  waits = true;
  await new Promise((done) => setTimeout(done, Math.max(0, last + 2000 - Date.now())));
  last = Date.now();
  waits = false;
  held ??= [];
  try {
    const answer = await fetch("/");
    if (answer.ok) renew(await answer.text());
  } catch {
    // the stream shows that the gateway has ended, and loads the page again when it is back
  } finally {
    const places = held ?? [];
    held = null;
    putAll(places);
  }
}

function renew(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  body.dataset.run = fresh.body.dataset.run;
  const phones = byId("phones");
  phones.querySelector(".nothing")?.remove();
  for (const phone of fresh.querySelectorAll(".phone")) {
    const old = byId(phone.id);
    if (!old) {
      phones.append(phone);
      byId("tabs").append(fresh.getElementById(`tab-${phone.dataset.handset}`));
      toEnd(phone.querySelector(".thread"));
      continue;
    }
    const thread = old.querySelector(".thread");
    const follow = isAtEnd(thread);
    thread.replaceChildren(...phone.querySelector(".thread").children);
    old.querySelector(".consent").replaceWith(phone.querySelector(".consent"));
    if (follow) toEnd(thread);
  }
  const opened = document.activeElement.closest?.("#rows details");
  if (!opened) byId("rows").replaceChildren(...fresh.getElementById("rows").children);
  for (const id of ["rules", "switches", "account-facts", "credit", "clock"]) {
    byId(id)?.replaceWith(fresh.getElementById(id));
  }
  find();
}

function toEnd(list) {
  list.scrollTop = list.scrollHeight;
}

function follow() {
  const source = new EventSource(`/live?seen=${body.dataset.run}-${body.dataset.last}`);
  const link = byId("link");
  source.addEventListener("open", () => {
    link.textContent = "live";
    link.className = "on";
  });
  source.addEventListener("error", () => {
    link.textContent = "not connected";
    link.className = "off";
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 3000);
  });
  source.addEventListener("put", (event) => putAll(JSON.parse(event.data)));
  source.addEventListener("anew", () => anew());
  addEventListener("pagehide", () => source.close());
}

function countFaults() {
  byId("faults-on").textContent = document.querySelectorAll(".switch.on").length || "";
}

document.querySelectorAll(".thread").forEach(toEnd);
if (location.hash.startsWith("#x")) reveal(location.hash.slice(2));
if (location.hash.startsWith("#phone-")) byId(location.hash.slice(1))?.querySelector("textarea").focus();
follow();
