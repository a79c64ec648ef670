// What the page says: recorded prompts with the same words as text beside them.

import { about } from "./about.js";

const caption = document.getElementById("caption");
const SOUNDLESS_MS = 350;
const READING_MS = 60;
const player = new Audio();
let words = { spoken: {}, label: {} };
let turn = 0;
let last = [];
let ready = Promise.resolve();

export let language = "";

/** Load a language's words, and put its labels on everything that has one. */
export function speakIn(tag) {
  if (tag === language && words.tag) return ready;
  language = tag;
  // The first language's words came with the page.
  const coming = tag === about.languages[0]
    ? Promise.resolve(about.words)
    : fetch(`${about.static}/words/${tag}.json`).then((answer) => answer.json());
  ready = coming.then((loaded) => tag === language && take(loaded)).catch(() => {});
  return ready;
}

function take(loaded) {
  words = loaded;
  document.documentElement.lang = words.tag;
  document.documentElement.dir = words.direction;
  label(document);
}

/** Put labels in the language on a piece of the page. */
export function label(root) {
  for (const element of root.querySelectorAll("[data-label]")) {
    if (words.label[element.dataset.label]) element.setAttribute("aria-label", words.label[element.dataset.label]);
  }
  for (const element of root.querySelectorAll("[data-text]")) {
    if (words.label[element.dataset.text]) element.textContent = words.label[element.dataset.text];
  }
}

export const named = (name) => words.label[name] ?? "";
export const written = (name) => words.spoken[name] ?? "";
let channel = about.channel || "-";
const address = (tag, name) => `/prompts/${channel}/${tag}/${name}.mp3`;

/** Speak with the prompts of a channel from now on. */
export const speakFor = (code) => (channel = code);

function play(source, mine) {
  return new Promise((resolve) => {
    if (mine !== turn) return resolve();
    const end = () => {
      player.onended = player.onerror = null;
      resolve();
    };
    player.onended = player.onerror = end;
    player.onpause = () => mine !== turn && end();
    player.src = source;
    player.play().catch(end);
  });
}

/** Be silent. */
export function hush() {
  turn += 1;
  player.pause();
}

/** Be silent and say nothing in writing either: the person speaks now. */
export function listen() {
  hush();
  caption.textContent = "";
}

/** Show and say prompts one after another; a later call takes the turn from an earlier one. */
export async function say(...names) {
  hush();
  const mine = turn;
  last = names;
  for (const name of names) {
    if (mine !== turn) return;
    // The voice does not wait for the words: a browser lets a page speak only at once after a touch.
    ready.then(() => mine === turn && (caption.textContent = written(name)));
    const began = performance.now();
    await play(address(language, name), mine);
    await ready;
    // Where there is no voice, the words stay long enough to be read.
    const heard = performance.now() - began > SOUNDLESS_MS;
    if (!heard && name !== names[names.length - 1]) await new Promise((resolve) => setTimeout(resolve, READING_MS * written(name).length));
  }
}

/** Say one prompt and leave the words on the page as they are. */
export async function sayOne(name) {
  hush();
  await play(address(language, name), turn);
}

/** Show a prompt's words without saying them: somebody is being recorded. */
export function show(name) {
  last = [name];
  caption.textContent = written(name);
}

/** Say the name of a language in that language, and light its card meanwhile. */
export async function hear(tag, mine) {
  if (mine === undefined) {
    hush();
    mine = turn;
  }
  const card = document.querySelector(`[data-tag="${CSS.escape(tag)}"]`);
  card?.classList.add("speaking");
  card?.scrollIntoView({ block: "nearest" });
  await play(tag === "und" ? address("zh", "another") : address(tag, "name"), mine);
  card?.classList.remove("speaking");
}

/** Say the names of all languages, one after another. */
export async function hearAll(tags) {
  hush();
  const mine = turn;
  for (const tag of tags) if (mine === turn) await hear(tag, mine);
}

/** Say digits one by one, lighting each element as it is said. */
export async function sayDigits(digits, elements = []) {
  hush();
  const mine = turn;
  ready.then(() => mine === turn && (caption.textContent = written("digits")));
  await play(address(language, "digits"), mine);
  for (const [at, digit] of [...digits].entries()) {
    if (mine !== turn) return;
    elements[at]?.classList.add("speaking");
    await play(address(language, `d${digit}`), mine);
    elements[at]?.classList.remove("speaking");
  }
}

/** Play a sound of somebody: a recording just made, or an answer. */
export async function playBlob(blob) {
  hush();
  const mine = turn;
  const source = URL.createObjectURL(blob);
  await play(source, mine);
  URL.revokeObjectURL(source);
}

export const again = () => (last.length ? say(...last) : Promise.resolve());
