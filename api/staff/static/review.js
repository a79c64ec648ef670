// The page of one complaint: keys, the record beside the transcript, who else is here.
import { ask, isTyping, notify, t } from "./console.js";
import { Editor } from "./editor.js";
import { Player } from "./player.js";

const HERE_MS = 15000;
const desk = document.querySelector(".desk");
const home = `/staff/complaints/${desk.dataset.complaint}`;
const benches = [...document.querySelectorAll(".sound")].map(bench);
let active = benches[0] ?? null;

function bench(section) {
  const url = `${home}/media/${section.dataset.medium}`;
  const player = new Player(section, url, (heard) => showHeard(section, player, heard));
  const editor = new Editor(section, url, player, () => renew(section, url, player, editor));
  section.addEventListener("pointerdown", () => (active = made), true);
  section.addEventListener("focusin", () => (active = made));
  section.addEventListener("click", (event) => click(event, player, editor, section));
  section.addEventListener("dblclick", (event) => {
    const segment = event.target.closest(".segment");
    if (!segment || event.target.closest(".gutter")) return;
    player.audio.pause();
    editor.edit(segment, event.target.closest(".w"));
  });
  const made = { section, player, editor };
  return made;
}

function click(event, player, editor, section) {
  const action = event.target.closest("[data-do]")?.dataset.do;
  const segment = event.target.closest(".segment");
  const word = event.target.closest(".w");
  // After a click the space bar plays again; whoever came by keyboard stays where they are.
  if (event.detail > 0) event.target.closest("button")?.blur();
  if (action === "play") player.toggle();
  else if (action === "loop") player.setLoop();
  else if (action === "doubt") nextDoubt(section, player, 1);
  else if (action === "from") player.seek(Number(segment.dataset.start), { play: true });
  else if (action === "language" || action === "mark") editor.choose(action, segment);
  else if (action === "everywhere") editor.everywhere();
  else if (action === "undo") editor.undo();
  else if (action === "save") editor.save();
  else if (action === "accept") editor.accept();
  else if (action === "restore") {
    editor.restore(JSON.parse(section.querySelector("[data-draft]").dataset.draft));
    section.querySelector(".notice.draft").remove();
  } else if (action === "forget") editor.forget();
  else if (word?.dataset.s && !word.closest("[contenteditable]") && getSelection().isCollapsed)
    player.seek(Number(word.dataset.s) + 0.001, { play: true });
}

function showHeard(section, player, { missing }) {
  const segments = [...section.querySelectorAll(".segment")];
  const lost = new Set(missing.map(String));
  let heard = 0;
  for (const one of segments) {
    const of = one.dataset.of ? one.dataset.of.split(",") : ["?"];
    const done = of.every((number) => number !== "?" && !lost.has(number));
    one.classList.toggle("heard", done);
    heard += done;
  }
  section.querySelector("meter").value = heard;
  section.querySelector("[data-heard-text]").textContent = `${t("已听", "heard")} ${heard}/${segments.length}`;
  player.draw();
}

/** Put the transcript that the server has now in place of the one on the page. */
async function renew(section, url, player, editor) {
  const answer = await ask(`${url}/transcript`, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(".sound");
  for (const part of [".segments", ".meta-line", ".progress"])
    section.querySelector(part).replaceWith(document.adoptNode(fresh.querySelector(part)));
  section.dataset.base = fresh.dataset.base;
  section.dataset.accepted = fresh.dataset.accepted;
  section.querySelector("[data-doubts]").textContent = fresh.querySelector("[data-doubts]").textContent;
  player.collect();
  editor.renewed();
  window.htmx?.ajax("GET", `${home}/record`, { target: "#record", swap: "outerHTML" });
}

function nextDoubt(section, player, by) {
  const doubts = [...section.querySelectorAll(".w.low")];
  if (!doubts.length) return notify(t("没有没把握的词。", "No doubtful words."));
  const marked = doubts.findIndex((one) => one.classList.contains("target"));
  const next = doubts[(marked + by + doubts.length) % doubts.length];
  doubts[marked]?.classList.remove("target");
  next.classList.add("target");
  next.scrollIntoView({ block: "center" });
  player.seek(Math.max(0, Number(next.dataset.s) - 0.4), { play: true, until: Number(next.dataset.e) + 0.4 });
}

document.addEventListener("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key === "s" && active) {
    active.editor.save();
    event.preventDefault();
    return;
  }
  if (control && event.key === "z" && active && !isTyping(event.target)) {
    active.editor.undo();
    event.preventDefault();
    return;
  }
  if (isTyping(event.target) || control || event.altKey || !active) return;
  if (document.querySelector("dialog[open]")) return;
  const onButton = event.target.closest?.("button, a, summary");
  if (onButton && (event.key === " " || event.key === "Enter")) return;
  const { player, editor, section } = active;
  const speed = player.audio.playbackRate;
  const deeds = {
    " ": () => player.toggle(),
    ArrowLeft: () => player.stepWord(-1),
    ArrowRight: () => player.stepWord(1),
    ArrowUp: () => player.stepSegment(-1),
    ArrowDown: () => player.stepSegment(1),
    r: () => player.setLoop(),
    "[": () => player.setSpeed(speed - 0.1),
    "]": () => player.setSpeed(speed + 0.1),
    u: () => nextDoubt(section, player, 1),
    U: () => nextDoubt(section, player, -1),
    e: () => editor.edit(player.current, section.querySelector(".w.target, .w.lit")),
    f: () => editor.everywhere(),
    l: () => editor.choose("language"),
    m: () => editor.choose("mark"),
    a: () => editor.accept(),
  };
  const deed = deeds[event.key];
  if (!deed) return;
  deed();
  event.preventDefault();
  event.stopImmediatePropagation();
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "d") document.querySelector("#record .field:not(.confirmed) :is(input, select, textarea):not([type=hidden])")?.focus();
  else if (event.key === "t") {
    const details = document.querySelector(".translations details");
    if (!details) return;
    details.open = true;
    details.querySelector("textarea").focus();
  } else return;
  event.preventDefault();
});

// The record: a value shows where it comes from, and a click plays or shows that.
const side = document.getElementById("side");
let submitted = "";

side.addEventListener("click", (event) => {
  const source = event.target.closest(".source[data-medium]");
  if (source) cite(source);
  const speak = event.target.closest('[data-do="speak"]');
  if (speak) answerAloud(speak);
});
side.addEventListener("input", (event) => event.target.closest(".field")?.classList.add("dirty"));
side.addEventListener("change", (event) => event.target.closest(".field")?.classList.add("dirty"));
side.addEventListener("submit", (event) => (submitted = event.target.dataset.field ?? ""));
side.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.blur?.();
  if (event.key === "Enter" && event.target.tagName === "SELECT") {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
  if (event.key === "Enter" && event.target.tagName === "TEXTAREA" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
});
document.addEventListener("htmx:after:swap", () => {
  if (!submitted) return;
  const done = document.querySelector(`#record .field[data-field="${CSS.escape(submitted)}"]`);
  submitted = "";
  let next = done?.nextElementSibling;
  while (next && (!next.matches(".field") || next.classList.contains("confirmed"))) next = next.nextElementSibling;
  (next ?? done)?.querySelector(":is(input, select, textarea):not([type=hidden])")?.focus({ preventScroll: false });
});

function cite(source) {
  const { medium, start, end, from, to, box } = source.dataset;
  for (const old of document.querySelectorAll(".cited, .lines .on, rect.on")) old.classList.remove("cited", "on");
  const spoken = benches.find((one) => one.section.dataset.medium === medium);
  if (spoken && start !== undefined) {
    active = spoken;
    for (const word of spoken.player.words)
      if (word.end > Number(start) && word.start < Number(end)) word.element.classList.add("cited");
    spoken.section.querySelector(".cited")?.scrollIntoView({ block: "center" });
    spoken.player.seek(Number(start), { play: true, until: Number(end) + 0.15 });
    return;
  }
  const typed = document.querySelector(`.typed[data-medium="${medium}"] .said`);
  if (typed && from !== undefined) {
    const text = typed.textContent;
    const characters = [...text];
    const mark = document.createElement("mark");
    mark.textContent = characters.slice(Number(from), Number(to)).join("");
    typed.replaceChildren(characters.slice(0, Number(from)).join(""), mark, characters.slice(Number(to)).join(""));
    mark.scrollIntoView({ block: "center" });
    return;
  }
  const picture = document.querySelector(`.picture[data-medium="${medium}"]`);
  if (picture && box) {
    const [left, top, right, bottom] = box.split(",").map((share) => 100 * Number(share));
    for (const rect of picture.querySelectorAll("rect")) {
      const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)));
      if (x < right && x + w > left && y < bottom && y + h > top) light(picture, rect.dataset.line);
    }
    picture.scrollIntoView({ block: "nearest" });
  }
}

function light(picture, line) {
  for (const one of picture.querySelectorAll(`[data-line="${line}"]`)) one.classList.add("on");
}

for (const picture of document.querySelectorAll(".picture")) {
  const show = (event) => {
    for (const old of picture.querySelectorAll(".on")) old.classList.remove("on");
    const line = event.target.closest?.("[data-line]")?.dataset.line;
    if (line !== undefined) light(picture, line);
  };
  picture.addEventListener("pointerover", show);
  picture.addEventListener("focusin", show);
}

// Words that are selected can be put into a field, and the field remembers where they stand.
const bar = document.getElementById("assign-bar");
let chosen = null;

function chosenWords() {
  const selection = getSelection();
  if (selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const node = range.commonAncestorContainer;
  const holder = node instanceof Element ? node : node.parentElement;
  const text = selection.toString().trim();
  if (!text || text.length > 400 || document.querySelector(".words[contenteditable]")) return null;
  const spoken = benches.find((one) => one.section.contains(holder));
  if (spoken && holder.closest(".segments")) {
    const words = spoken.player.words.filter((word) => range.intersectsNode(word.element));
    if (!words.length) return null;
    return {
      text,
      range,
      source: {
        medium: spoken.section.dataset.medium,
        transcript_version: Number(spoken.section.dataset.base) || null,
        start: words[0].start,
        end: words.at(-1).end,
        text,
      },
    };
  }
  const said = holder.closest(".typed .said");
  if (said) {
    const head = document.createRange();
    head.selectNodeContents(said);
    head.setEnd(range.startContainer, range.startOffset);
    const from = [...head.toString()].length;
    return { text, range, source: { medium: said.closest(".typed").dataset.medium, from_character: from, to_character: from + [...selection.toString()].length, text } };
  }
  const line = holder.closest(".lines li");
  if (line) return { text, range, source: { medium: line.closest(".picture").dataset.medium, text } };
  return null;
}

document.addEventListener("selectionchange", () => {
  chosen = chosenWords();
  bar.hidden = !chosen || !document.querySelector("#record .field .tick");
  if (bar.hidden) return;
  const box = chosen.range.getBoundingClientRect();
  bar.style.left = `${Math.max(8, Math.min(innerWidth - 540, box.left))}px`;
  bar.style.top = `${box.bottom + 70 > innerHeight ? box.top - 44 : box.bottom + 8}px`;
});
bar.addEventListener("pointerdown", (event) => event.preventDefault());
bar.addEventListener("click", (event) => {
  const name = event.target.dataset.field;
  const form = name && document.querySelector(`#record .field[data-field="${CSS.escape(name)}"]`);
  if (!form || !chosen) return;
  form.elements.value.value = chosen.text;
  form.elements.source.value = JSON.stringify(chosen.source);
  getSelection().removeAllRanges();
  form.requestSubmit();
});

// Answering aloud.
let recorder = null;

async function answerAloud(button) {
  if (recorder) {
    recorder.stop();
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    notify(t("没有麦克风可用，请检查浏览器权限。", "No microphone: check the browser's permission."), "fault");
    return;
  }
  const pieces = [];
  recorder = new MediaRecorder(stream);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  recorder.addEventListener("stop", async () => {
    for (const track of stream.getTracks()) track.stop();
    const sound = new Blob(pieces, { type: recorder.mimeType });
    recorder = null;
    button.classList.remove("recording");
    try {
      const answer = await ask(button.dataset.url, {
        method: "POST",
        body: sound,
        headers: { "HX-Request": "true", Accept: "text/html" },
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = document.adoptNode(page.getElementById("record"));
      document.getElementById("record").replaceWith(fresh);
      window.htmx?.process(fresh);
      notify(t("语音答复已发送。", "The spoken answer is sent."));
    } catch (error) {
      notify(error.message, "fault");
    }
  });
  recorder.start();
  button.classList.add("recording");
  button.lastChild.textContent = t("停止并发送", "Stop and send");
}

async function whoIsHere() {
  if (document.hidden) return;
  try {
    const answer = await ask(`${home}/here`, { headers: { "X-Polled": "1" } });
    if (!answer) return;
    const { names, version } = await answer.json();
    document.getElementById("here").textContent = names.length ? t("也在看：", "also here: ") + names.join("、") : "";
    const known = Number(document.getElementById("record").dataset.version);
    if (version !== known && names.length && !document.querySelector("#record .dirty"))
      window.htmx?.ajax("GET", `${home}/record`, { target: "#record", swap: "outerHTML" });
  } catch {
    // The next round tells.
  }
}
setInterval(whoIsHere, HERE_MS);
document.addEventListener("visibilitychange", whoIsHere);
