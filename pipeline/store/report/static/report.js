// Times in the reader's zone; UTC stays beside the pointer. Without this script all times are UTC.
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

tellTimes(document);
tellFields();
const label = document.getElementById("zone");
if (label && zone !== "UTC") label.textContent = `Times are ${zone}`;
