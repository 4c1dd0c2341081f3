// What this script adds to pages that work without it: times in the reader's zone, and live updates.
"use strict";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const two = (n) => String(n).padStart(2, "0");
const shown = (t) => `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`
  + ` ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = shown(new Date(time.dateTime));
  }
}

// The address has UTC; a field shows the reader's time and gives UTC back.
function tellFields() {
  for (const input of document.querySelectorAll("input[data-utc]")) {
    if (input.value) {
      const at = new Date(`${input.value}Z`);
      if (!Number.isNaN(at.getTime())) input.value = shown(at).replace(" ", "T").slice(0, 16);
    }
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  event.preventDefault();
  const given = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!String(value).trim()) continue;
    const input = form.elements.namedItem(name);
    const isTime = input && input.dataset && "utc" in input.dataset;
    given.append(name, isTime ? new Date(value).toISOString().slice(0, 16) : value);
  }
  location.search = String(given);
});

for (const part of document.querySelectorAll("[data-live]")) part.served = part.innerHTML;
tellTimes(document);
tellFields();
const label = document.getElementById("zone");
if (label && zone !== "UTC") label.textContent = `Times are ${zone}`;

// Live: the server says that a topic has new rows. Then the page asks for its own address again, and
// takes the parts that are marked data-live from the answer. Later pages of a list stand still.
const live = document.getElementById("live");
const place = new URLSearchParams(location.search);
const parts = () => [...document.querySelectorAll("[data-live]")];
const waitsFor = () => new Set(parts().flatMap((part) => part.dataset.topics.split(" ")));
let isDue = false;
let isAsking = false;
let pauseMs = 1000;
const isPaused = () => live.getAttribute("aria-pressed") === "true";

function isInUse(part) {
  const chosen = getSelection();
  const focus = document.activeElement;
  return (part.contains(focus) && focus.matches(":focus-visible"))
    || (chosen !== null && !chosen.isCollapsed && part.contains(chosen.anchorNode));
}

function take(fresh) {
  let isChanged = false;
  for (const part of parts()) {
    const other = fresh.getElementById(part.id);
    if (!other || other.innerHTML === part.served) continue;
    if (isInUse(part)) { isDue = true; continue; }
    const open = [...part.querySelectorAll("details")].map((each) => each.open);
    part.served = other.innerHTML;
    part.replaceChildren(...document.importNode(other, true).childNodes);
    part.querySelectorAll("details").forEach((each, at) => { if (open[at]) each.open = true; });
    tellTimes(part);
    isChanged = true;
  }
  return isChanged;
}

async function ask() {
  if (isAsking || !isDue || isPaused() || document.hidden) return;
  isAsking = true;
  isDue = false;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const isChanged = take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (isChanged) live.dataset.updated = new Date().toISOString();
    }
  } catch {
    isDue = true;  // the store is away for now: the next event asks again
  }
  // A slow answer is asked for less often: a page takes a fifth of the time at most.
  pauseMs = Math.max(1000, 5 * (performance.now() - began));
  setTimeout(() => { isAsking = false; ask(); }, pauseMs);
}

if (live && parts().length && !place.has("before") && !place.has("after")) {
  const source = new EventSource(live.dataset.source);
  source.addEventListener("open", () => {
    live.hidden = false;
    live.classList.add("on");
    isDue = true;  // what was stored while nobody listened
    ask();
  });
  source.addEventListener("error", () => live.classList.remove("on"));
  source.addEventListener("stored", (event) => {
    if (waitsFor().has(JSON.parse(event.data).topic)) { isDue = true; ask(); }
  });
  live.addEventListener("click", () => {
    live.setAttribute("aria-pressed", String(!isPaused()));
    live.textContent = isPaused() ? "Paused" : "Live";
    ask();
  });
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("focusout", () => setTimeout(ask, 100));
}
