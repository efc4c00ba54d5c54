// What the page does by itself: keys, copying, and not moving under the reader's eyes. htmx does the rest.
"use strict";

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

// The wall is renewed only while its top is in sight and nothing is chosen on it; else it is said that there is more.
const pill = () => one("#pill");
let renew = false;

function reading() {
  const wall = one("#wall");
  return wall !== null && wall.getBoundingClientRect().top < -80;
}

document.addEventListener("grown", (event) => {
  if (renew || !reading() || pill() === null) return;
  event.stopImmediatePropagation();
  pill().hidden = false;
}, true);

function renewed() {
  pill().hidden = true;
  one("#wall").scrollIntoView({ block: "start" });
  renew = true;
  one("#live").dispatchEvent(new CustomEvent("grown", { bubbles: true }));
  renew = false;
}

// Whoever walks by keys stays where they are when the wall is renewed.
let held = null;
document.addEventListener("htmx:before:swap", () => {
  held = document.activeElement?.closest("#wall li")?.id ?? null;
});
document.addEventListener("htmx:after:swap", () => {
  if (held !== null && document.activeElement === document.body) document.getElementById(held)?.querySelector("a")?.focus();
});

// The stream: whether the server is there.
document.addEventListener("htmx:sse:error", () => { one("#lost").hidden = false; });
document.addEventListener("htmx:sse:close", (event) => {
  if (event.detail?.reason === "ended") one("#lost").hidden = false;
});
document.addEventListener("htmx:sse:after:connection", () => { one("#lost").hidden = true; });

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    const code = button.parentElement.querySelector("code");
    getSelection().selectAllChildren(code);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button === null) return;
  if (button.dataset.copy !== undefined) copy(button);
  else if (button.dataset.help !== undefined) one("#help").showModal();
  else if (button.id === "pill") renewed();
});

// Keys. On the wall they walk from card to card, on a job from neighbour to neighbour.
function columns(cards) {
  const top = cards[0].getBoundingClientRect().top;
  return Math.max(1, cards.findIndex((card) => card.getBoundingClientRect().top > top + 1));
}

function walk(step) {
  const cards = all("#wall .tile");
  if (cards.length === 0) {
    one(step > 0 ? "#life [rel=next]" : "#life [rel=prev]")?.click();
    return;
  }
  const here = cards.indexOf(document.activeElement);
  const next = here < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, here + step));
  cards[next].focus();
  cards[next].scrollIntoView({ block: "nearest" });
}

function back() {
  if (document.activeElement === one("#q")) {
    document.activeElement.blur();
    return;
  }
  one("[data-back]")?.click();
}

const typing = (element) => element.matches("input, select, textarea");

const keys = {
  j: () => walk(1),
  k: () => walk(-1),
  ArrowRight: () => walk(1),
  ArrowLeft: () => walk(-1),
  ArrowDown: () => walk(columns(all("#wall .tile"))),
  ArrowUp: () => walk(-columns(all("#wall .tile"))),
  "/": () => one("#q")?.focus(),
  "?": () => one("#help").showModal(),
  c: () => one("main [data-copy]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]") !== null) return;
  if (event.key === "Escape") {
    back();
    return;
  }
  if (typing(event.target) || keys[event.key] === undefined) return;
  const arrow = event.key.startsWith("Arrow");
  if (arrow && (all("#wall .tile").indexOf(document.activeElement) < 0 || event.target.closest(".scroll"))) return;
  event.preventDefault();
  keys[event.key]();
});
