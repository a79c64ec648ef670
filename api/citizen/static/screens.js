// One screen at a time, with a way back and a voice.

import * as voice from "./voice.js";

const trail = [];
const leaving = new Map();

export const $ = (id) => document.getElementById(id);
export const current = () => trail.at(-1);

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
  const prompt = say ?? $(name).dataset.say;
  if (!quiet && prompt) voice.say(...[prompt].flat());
}

/** Go back one screen; tell whether there was one. */
export function back() {
  if (trail.length < 2) return false;
  leaving.get(trail.pop())?.();
  paint();
  voice.say($(current()).dataset.say);
  return true;
}

function paint() {
  for (const section of document.querySelectorAll(".screen")) section.hidden = section.id !== current();
  $("back").style.visibility = trail.length > 1 ? "visible" : "hidden";
  scrollTo(0, 0);
}

/** Wire what every screen has. */
export function wire() {
  $("back").addEventListener("click", back);
  $("help").addEventListener("click", () => show("helping"));
}
