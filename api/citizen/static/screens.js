// One screen at a time, with a way back and a voice.

import * as voice from "./voice.js";

const OFFLINE_AFTER_MS = 4000;
const trail = [];
const leaving = new Map();

export const $ = (id) => document.getElementById(id);
export const current = () => trail[trail.length - 1];

/** Do something whenever a screen is left. */
export const onLeave = (name, act) => leaving.set(name, act);

/** Show a screen and say its prompt (or another); the way back leads to the one before. */
export function show(name, { say, back = true, quiet = false } = {}) {
  const before = current();
  if (before === name) trail.pop();
  else if (before) leaving.get(before)?.();
  if (!back) trail.length = 0;
  trail.push(name);
  paint();
  // A screen reader goes on from here, and says what the screen is.
  if (before) $(name).focus({ preventScroll: true });
  const prompt = say ?? $(name).dataset.say;
  if (!quiet && prompt) voice.say(...[prompt].flat());
}

/** Go back one screen; tell whether there was one. */
export function back() {
  if (trail.length < 2) return false;
  leaving.get(trail.pop())?.();
  paint();
  $(current()).focus({ preventScroll: true });
  voice.say($(current()).dataset.say);
  return true;
}

function paint() {
  for (const section of document.querySelectorAll(".screen")) section.hidden = section.id !== current();
  document.body.dataset.screen = current();
  $("back").style.visibility = trail.length > 1 ? "visible" : "hidden";
  scrollTo(0, 0);
}

/**
 * Do something at the first touch, wherever it falls; `act` gets what was touched. By the click that
 * it ends in: only that lets a page speak, and it may fall beside the button that a finger was nearest to.
 */
export function onFirstTouch(act) {
  const types = ["click", "keydown"];
  const once = (event) => {
    for (const type of types) removeEventListener(type, once, true);
    act(event.target);
  };
  for (const type of types) addEventListener(type, once, true);
}

/** Keep the page for when there is no network; later, so that it takes no line away from the first words. */
export function keepForOffline() {
  setTimeout(() => navigator.serviceWorker?.register("/worker.js").catch(() => {}), OFFLINE_AFTER_MS);
}

/** Wire what every screen has. */
export function wire() {
  $("back").addEventListener("click", back);
  $("help").addEventListener("click", () => show("helping"));
}
