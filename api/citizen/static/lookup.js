// What became of a report: the receipt by touch or by camera, its state aloud, answers, and what one adds.

import { about } from "./about.js";
import { DIGITS, digitsOf, grouped, isReceipt } from "./damm.js";
import { ask, flush, shelf, takeBack, watch } from "./outbox.js";
import * as recorder from "./recorder.js";
import { $, current, keepForOffline, onFirstTouch, onLeave, show, wire } from "./screens.js";
import * as store from "./store.js";
import * as voice from "./voice.js";

const LISTENER = "und";
let typed = "";
let receipt = "";
let recording = null;
let added = [];
let draft = null;
let looking = null;

const PICTURES = {
  received: "inbox", ready: "inbox", needs_listener: "ear", in_review: "ear", accepted: "tick", passed_up: "upward", transferred: "send",
  verifying: "lens", concluded: "tick", rectifying: "mend", archived: "tick", withdrawn: "cross",
};

const authorization = () => `Receipt ${receipt}`;

function paintTyped() {
  $("typed").textContent = grouped(typed) || " ";
  $("typed").classList.remove("wrong");
}

function press(digit) {
  if (typed.length >= DIGITS) return;
  typed += digit;
  paintTyped();
  if (typed.length < DIGITS) voice.sayOne(`d${digit}`);
  else enter(typed);
}

async function enter(digits) {
  typed = digits;
  paintTyped();
  if (!isReceipt(digits)) {
    $("typed").classList.add("wrong");
    navigator.vibrate?.([150, 80, 150]);
    return voice.say("mistyped");
  }
  receipt = digits;
  return look();
}

/** Ask what became of the report and say it in its language. */
async function look(first = []) {
  let report;
  try {
    report = await ask("GET", "/receipt/state", { authorization: authorization() });
  } catch (error) {
    $("typed").classList.add("wrong");
    return voice.say(error.status === 429 ? "busy" : error.status === 401 || error.status === 404 ? "unknown" : "failed");
  }
  voice.speakFor(report.channel);
  if (report.language && report.language !== LISTENER && about.languages.includes(report.language)) {
    if (report.language !== voice.language) await voice.speakIn(report.language);
  }
  await paint(report);
  const answered = report.messages.some((message) => message.from === "office");
  const after = report.open ? ["add"] : [];
  show("report", { say: [...first, `state_${report.state}`, answered ? "answer" : "no_answer", ...after] });
  draft = (await store.get("drafts", shelf({ receipt })).catch(() => null)) ?? null;
  if (draft && report.open) show("drafted", { say: [...first, `state_${report.state}`, $("drafted").dataset.say] });
}

async function paint(report) {
  $("state").textContent = voice.written(`state_${report.state}`);
  $("standing").querySelector("use").setAttribute("href", `#i-${PICTURES[report.state]}`);
  for (const id of ["add-voice", "add-photo", "to-withdraw"]) $(id).hidden = !report.open;
  if (!recorder.possible()) $("fallback").hidden = !report.open;
  $("to-withdraw").hidden = !report.may_withdraw;
  $("messages").textContent = "";
  $("messages").append(...report.messages.map(message));
}

function message(one) {
  const item = document.createElement("li");
  item.className = one.from === "office" ? "" : "mine";
  if (one.sound) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "round blue";
    button.setAttribute("aria-label", voice.named("play"));
    button.append($("replay").querySelector("svg").cloneNode(true));
    button.querySelector("use").setAttribute("href", "#i-speaker");
    button.addEventListener("click", () => play(one.sound));
    item.append(button);
  }
  const text = document.createElement("span");
  text.textContent = one.text;
  item.append(text);
  return item;
}

async function play(sound) {
  const answer = await fetch(`/receipt/answers/${sound}`, { headers: { Authorization: authorization() } }).catch(() => null);
  if (!answer?.ok) return voice.say("failed");
  return voice.playBlob(await answer.blob());
}

async function scan() {
  show("scanning");
  looking = new AbortController();
  try {
    const { scan } = await import("./scan.js");
    const digits = await scan($("view"), looking.signal);
    if (!digits) return;
    show("enter", { back: false, quiet: true });
    await enter(digits);
  } catch {
    show("enter", { back: false, say: "no_camera" });
  }
}

// ---- adding

function state(name) {
  $("adding").dataset.state = name;
  const label = { idle: "record", recording: "stop", done: "send" }[name];
  $("main").dataset.label = label;
  if (voice.named(label)) $("main").setAttribute("aria-label", voice.named(label));
}

async function begin() {
  voice.listen();
  const mine = new recorder.Recorder({
    limit: about.seconds,
    purpose: "addition",
    onLevel(level, hint, seconds) {
      $("ring").style.transform = `scale(${(1 + 0.45 * level).toFixed(3)})`;
      $("ring").className = `ring ${hint}`;
      $("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
      $("used").value = seconds / about.seconds;
    },
    onEnd: (part) => finished(part, "ended"),
    onFull: () => voice.say("storage"),
  });
  try {
    await mine.start();
  } catch {
    $("fallback").hidden = false;
    show("report", { say: "no_recording" });
    return;
  }
  recording = mine;
  state("recording");
}

function finished(part, prompt = "review") {
  recording = null;
  added = [...parts(), part];
  state("done");
  voice.say(prompt);
}

/** Forget what is being recorded, but not what was refused before. */
async function dropRecording() {
  const { id } = await recording.stop();
  recording = null;
  await store.forget([id]);
}

async function dropAdded() {
  if (recording) await dropRecording();
  await dropDraft();
  await store.forget(added.map((part) => part.id));
  added = [];
  state("idle");
}

async function send(parts) {
  const record = { key: store.draw(), channel: "", receipt, parts, text: "" };
  await store.post(shelf(record), record);
  added = [];
  draft = null;
  show("sending", { back: false });
  await flush(listeners);
}

async function addFile(file, kind) {
  const part = recorder.part(kind, "addition", file.type || "application/octet-stream");
  part.size = file.size;
  await store.keep(part.id, 0, await file.arrayBuffer());
  await send([...parts(), part]);
}

// ---- what was refused before

const parts = () => draft?.parts ?? [];

/** Go on with what was refused: what was said can be heard first; pictures alone are sent again. */
async function useDraft() {
  added = parts();
  if (!added.some((part) => part.kind === "voice")) return send(added);
  state("done");
  return show("adding", { say: "review" });
}

async function dropDraft() {
  if (!draft) return;
  await store.forget(draft.parts.map((part) => part.id));
  await store.remove("drafts", draft.channel);
  draft = null;
}

async function hear() {
  for (const part of added.filter((one) => one.kind === "voice")) {
    if (current() === "adding") await voice.playBlob(await store.blobOf(part.id, part.mime));
  }
}

const listeners = {
  onProgress: (share) => ($("sent").value = share),
  onWaiting: (error) => current() === "sending" && voice.say(error.status === 429 ? "busy" : "waiting"),
  async onRefused(record) {
    await takeBack(record);
    if (current() === "sending") await look(["failed"]);
  },
  async onSettled(record, answer) {
    const kept = record.receipt ? null : { key: record.key, receipt: answer.receipt, qr: answer.qr, language: record.language, at: Date.now() };
    await store.settle(record, kept);
    if (current() === "sending") await look(["added"]);
  },
};

async function tell(method, path, body, after) {
  try {
    await ask(method, path, { body, authorization: authorization() });
    await look([after]);
  } catch {
    voice.say("failed");
  }
}

function welcome() {
  if (current() === "languages") voice.say("welcome").then(() => current() === "languages" && voice.hearAll([...about.languages, LISTENER]));
  else voice.say($(current()).dataset.say);
}

function choose(tag) {
  voice.speakIn(tag === LISTENER ? about.languages[0] : tag);
  show("enter");
  paintTyped();
}

wire();
for (const button of document.querySelectorAll("[data-choose]")) button.addEventListener("click", () => choose(button.dataset.choose));
for (const button of document.querySelectorAll("[data-hear]")) button.addEventListener("click", () => voice.hear(button.dataset.hear));
for (const button of document.querySelectorAll("[data-digit]")) button.addEventListener("click", () => press(button.dataset.digit));
addEventListener("keydown", (event) => {
  if (current() !== "enter" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[0-9]$/.test(event.key)) press(event.key);
  if (event.key === "Backspace") $("erase").click();
});
addEventListener("paste", (event) => current() === "enter" && enter(digitsOf(event.clipboardData.getData("text"))));
$("erase").addEventListener("click", () => {
  typed = typed.slice(0, -1);
  paintTyped();
});
$("replay").addEventListener("click", () => (current() === "languages" ? welcome() : voice.again()));
onFirstTouch((target) => target.closest?.("button, a, label") ?? welcome());
$("scan").addEventListener("click", scan);
$("add-voice").addEventListener("click", () => {
  if (!recorder.possible()) return voice.say("no_recording");
  state("idle");
  show("adding", { say: "record" });
});
$("main").addEventListener("click", async () => {
  const now = $("adding").dataset.state;
  if (now === "idle") return begin();
  if (now === "recording") return finished(await recording.stop());
  return send(added);
});
$("restart").addEventListener("click", () => dropAdded().then(() => voice.say("restarted")));
$("hear").addEventListener("click", hear);
$("draft-use").addEventListener("click", useDraft);
$("draft-discard").addEventListener("click", () => dropDraft().then(() => show("report", { back: false, say: "restarted" })));
$("add-photo-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  const { shrink } = await import("./photos.js");
  await addFile(await shrink(file), "image");
});
$("sound-file").addEventListener("change", (event) => event.target.files[0] && addFile(event.target.files[0], "voice"));
$("to-consent").addEventListener("click", () => show("consent"));
$("consent-yes").addEventListener("click", () => tell("PUT", "/receipt/consent", { agreed: true }, "consent_yes"));
$("consent-no").addEventListener("click", () => tell("PUT", "/receipt/consent", { agreed: false }, "consent_no"));
$("to-withdraw").addEventListener("click", () => show("withdrawing"));
$("withdraw").addEventListener("click", () => tell("POST", "/receipt/withdrawal", {}, "withdrawn"));
$("keep").addEventListener("click", () => show("report", { say: "kept" }));
onLeave("scanning", () => looking?.abort());
onLeave("adding", () => recording && dropRecording());

voice.speakIn(about.languages[0]);
show("languages", { quiet: true });
watch(listeners);
keepForOffline();
