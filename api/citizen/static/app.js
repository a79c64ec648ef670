// The page of one channel: choose a language, speak, hear it, send it, keep the receipt.

import { about } from "./about.js";
import { grouped } from "./damm.js";
import { ask, flush, takeBack, watch } from "./outbox.js";
import * as recorder from "./recorder.js";
import { $, current, keepForOffline, onFirstTouch, onLeave, show, wire } from "./screens.js";
import * as store from "./store.js";
import * as voice from "./voice.js";

const NAME_SECONDS = 60;
const ENDING_SECONDS = 15;
const HINT_EVERY_MS = 6000;
// Below this loudness for this many measurements, somebody takes a breath.
const BREATH_LEVEL = 0.25;
const BREATH_TICKS = 5;
const HINT_PICTURES = { quiet: "nearer", clipping: "farther", silent: "unheard" };
const LISTENER = "und";
// A receipt that nobody took leave of is shown again, but not to whoever has the phone another day.
const RECEIPT_MS = 24 * 3600 * 1000;

let draft = null;
let recording = null;
let naming = null;
let receipt = null;
let hinted = 0;
let owed = "";
let told = new Set();
let still = 0;
let warned = false;

const fresh = (language) => ({
  channel: about.channel, key: store.draw(), language, parts: [], text: "", identity: "anonymous", name: "", contact: "", upward: false,
});
const save = () => store.put("drafts", draft).catch(full);
const parts = (kind, purpose = "complaint") => draft.parts.filter((part) => part.kind === kind && part.purpose === purpose);
const voices = () => parts("voice");
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const full = () => voice.say("storage");

// ---- languages

function choose(tag) {
  const shown = tag === LISTENER ? about.languages[0] : tag;
  draft = draft ?? fresh(tag);
  draft.language = tag;
  voice.speakIn(shown);
  paint();
  show("speak", { say: [tag === LISTENER ? "another" : "welcome", $("speak").dataset.say] });
}

// ---- recording

function state(name) {
  $("speak").dataset.state = name;
  const label = { idle: "record", recording: "stop", paused: "resume", done: "send" }[name];
  $("main").dataset.label = label;
  if (voice.named(label)) $("main").setAttribute("aria-label", voice.named(label));
}

// One place is kept for a spoken name.
const room = () => about.files - 1 - draft.parts.filter((part) => part.purpose === "complaint").length;
const has = () => draft.parts.some((part) => part.purpose === "complaint") || draft.text.trim() !== "";

/** Show what the draft holds. */
function paint() {
  if (!draft || recording) return;
  state(has() ? "done" : "idle");
  $("speak").dataset.say = has() ? "review" : recorder.possible() ? "record" : "no_recording";
  $("speak").classList.toggle("voiced", voices().length > 0);
  $("speak").classList.toggle("full", room() <= 0);
  const seconds = voices().reduce((sum, part) => sum + part.seconds, 0);
  $("elapsed").textContent = clock(seconds);
  $("used").value = seconds / about.seconds;
  $("write").classList.toggle("holding", draft.text.trim() !== "");
  $("upward").setAttribute("aria-pressed", String(draft.upward));
  const named = draft.identity === "real_name";
  $("who").querySelector("use").setAttribute("href", named ? "#i-person" : "#i-mask");
  $("who").querySelector("span").dataset.text = named ? "named" : "anonymous";
  voice.label($("who"));
  $("be-named").setAttribute("aria-pressed", String(named));
  $("be-anonymous").setAttribute("aria-pressed", String(!named));
  $("identity").hidden = !named;
  $("kept-named").hidden = !named;
  $("kept-anonymous").hidden = named;
  $("hear-name").hidden = parts("voice", "identity").length === 0;
  if (!recorder.possible()) cannotRecord();
}

function cannotRecord() {
  $("fallback").hidden = false;
  if (!has()) state("none");
}

async function begin() {
  voice.listen();
  warned = false;
  hinted = performance.now();
  owed = "";
  told = new Set();
  still = 0;
  const used = voices().reduce((sum, part) => sum + part.seconds, 0);
  const mine = new recorder.Recorder({
    limit: about.seconds - used,
    purpose: "complaint",
    onLevel: (level, hint, seconds) => heard(level, hint, used + seconds),
    onPiece: save,
    onEnd: (_, ended) => finish(ended ? "ended" : "review"),
    onFull: full,
  });
  try {
    draft.parts.push(await mine.start());
  } catch {
    cannotRecord();
    return voice.say("no_recording");
  }
  recording = mine;
  state("recording");
  return save();
}

function heard(level, hint, seconds) {
  const ring = $("ring");
  ring.style.transform = `scale(${(1 + 0.45 * level).toFixed(3)})`;
  ring.className = `ring ${hint}`;
  ring.setAttribute("aria-valuenow", level.toFixed(1));
  picture(hint);
  still = level < BREATH_LEVEL ? still + 1 : 0;
  $("elapsed").textContent = clock(seconds);
  $("used").value = seconds / about.seconds;
  const ending = about.seconds - seconds < ENDING_SECONDS;
  $("speak").classList.toggle("ending", ending);
  if (ending && !warned) {
    warned = true;
    navigator.vibrate?.([200, 100, 200]);
    voice.show("ending");
  } else if (hint && performance.now() - hinted > HINT_EVERY_MS) {
    hinted = performance.now();
    navigator.vibrate?.(120);
    voice.show(hint);
    if (!told.has(hint)) owed = hint;
  }
  // The picture comes at once; the voice waits for a breath, so that nothing said is lost or talked over.
  if (owed && (owed === "silent" || still >= BREATH_TICKS)) hintAloud();
}

function picture(hint) {
  $("hint").hidden = !hint;
  if (hint) $("hint").querySelector("use").setAttribute("href", `#i-${HINT_PICTURES[hint]}`);
}

/** Say a hint while nothing is recorded, once a recording, and go on. */
async function hintAloud() {
  const mine = recording;
  const hint = owed;
  owed = "";
  told.add(hint);
  mine.pause();
  await voice.say(hint);
  if (recording === mine && $("speak").dataset.state === "recording") {
    hinted = performance.now();
    mine.resume();
  }
}

async function finish(prompt = "review") {
  const mine = recording;
  recording = null;
  if (mine.media.state !== "inactive" || mine.since !== null) await mine.stop();
  $("speak").classList.remove("ending");
  picture("");
  await save();
  paint();
  voice.say(...[owed, prompt, prompt === "ended" ? "review" : ""].filter(Boolean));
}

async function press() {
  const now = $("speak").dataset.state;
  if (now === "idle") return begin();
  if (now === "recording") return finish();
  if (now === "paused") {
    voice.listen();
    recording.resume();
    return state("recording");
  }
  if (now === "done") return send();
}

async function restart() {
  const mine = recording;
  recording = null;
  picture("");
  if (mine) await mine.stop();
  const gone = voices();
  draft.parts = draft.parts.filter((part) => !gone.includes(part));
  await store.forget(gone.map((part) => part.id));
  await save();
  paint();
  voice.say("restarted");
}

async function hear(list) {
  for (const part of list) await voice.playBlob(await store.blobOf(part.id, part.mime));
}

// ---- photographs, text, name

async function addFile(file, kind, purpose = "complaint") {
  const part = recorder.part(kind, purpose, file.type || "application/octet-stream");
  part.size = file.size;
  await store.keep(part.id, 0, await file.arrayBuffer());
  draft.parts.push(part);
  await save();
  return part;
}

async function addPhotos(files) {
  const { shrink } = await import("./photos.js");
  const taken = [...files].slice(0, room());
  for (const file of taken) await addFile(await shrink(file), "image");
  await showPhotos();
  paint();
  voice.say(taken.length === files.length ? "photo_added" : "failed");
}

async function showPhotos() {
  const list = $("photos");
  list.textContent = "";
  for (const part of parts("image")) {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.alt = voice.named("photo");
    image.src = URL.createObjectURL(await store.blobOf(part.id, part.mime));
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", voice.named("remove"));
    button.append(document.querySelector("#restart svg").cloneNode(true));
    button.addEventListener("click", async () => {
      draft.parts = draft.parts.filter((one) => one !== part);
      await store.forget([part.id]);
      await save();
      await showPhotos();
      paint();
    });
    item.append(image, button);
    list.append(item);
  }
}

async function sayName() {
  if (naming) {
    const mine = naming;
    naming = null;
    draft.parts.push(await mine.stop());
    await save();
    $("say-name").querySelector("use").setAttribute("href", "#i-mic");
    paint();
    return voice.say("named_added");
  }
  voice.listen();
  const old = parts("voice", "identity");
  draft.parts = draft.parts.filter((part) => !old.includes(part));
  await store.forget(old.map((part) => part.id));
  const mine = new recorder.Recorder({ limit: NAME_SECONDS, purpose: "identity", onEnd: () => naming && sayName() });
  try {
    await mine.start();
  } catch {
    return voice.say("no_recording");
  }
  naming = mine;
  $("say-name").querySelector("use").setAttribute("href", "#i-stop");
}

async function identity(mode) {
  draft.identity = mode;
  if (mode === "anonymous") {
    const old = parts("voice", "identity");
    draft.parts = draft.parts.filter((part) => !old.includes(part));
    await store.forget(old.map((part) => part.id));
    draft.name = draft.contact = $("name").value = $("contact").value = "";
  }
  await save();
  paint();
  voice.say(mode === "anonymous" ? "anonymous" : "named");
}

// ---- sending and the receipt

async function send() {
  // Whoever touches again out of impatience has sent already.
  if (!draft) return;
  const record = draft;
  draft = null;
  // A name that was never given leaves the report anonymous.
  const named = record.name.trim() || record.contact.trim() || record.parts.some((part) => part.purpose === "identity");
  if (record.identity === "real_name" && !named) record.identity = "anonymous";
  try {
    await store.post(record.channel, record);
  } catch {
    draft = record;
    return full();
  }
  $("photos").textContent = "";
  $("text").value = $("name").value = $("contact").value = "";
  waiting(false);
  show("sending", { back: false });
  await flush(listeners);
}

function waiting(is) {
  $("offline").hidden = !is;
  $("sending").querySelector(".moving").toggleAttribute("hidden", is);
}

const listeners = {
  onProgress(share) {
    waiting(false);
    $("sent").value = share;
  },
  onWaiting(error) {
    if (current() !== "sending") return;
    waiting(true);
    voice.say(error.status === 429 ? "busy" : "waiting");
  },
  async onRefused(record, error) {
    const back = await takeBack(record, draft?.channel === record.channel ? draft : null);
    // What adds to another report is offered again where its receipt is entered.
    if (record.receipt) return;
    if (record.channel === about.channel) await reopen(back);
    voice.say(error.problem?.code === "channel_closed" ? "closed" : "failed");
  },
  async onSettled(record, answer) {
    const got = { key: record.key, receipt: answer.receipt, qr: answer.qr, language: record.language, at: Date.now() };
    await store.settle(record, record.receipt ? null : got);
    if (!record.receipt && ["sending", "languages", undefined].includes(current())) await showReceipt(got);
  },
};

/** Show what was refused where it can be changed; whoever looks at something else is left alone. */
async function reopen(back) {
  if (current() === "sending" || draft) draft = back;
  if (current() === "sending") {
    await restore();
    show("speak", { back: false, quiet: true });
  }
  paint();
}

async function restore() {
  $("text").value = draft.text;
  $("name").value = draft.name;
  $("contact").value = draft.contact;
  await showPhotos();
  paint();
}

async function showReceipt(got, quiet = false) {
  receipt = got;
  const text = $("receipt-digits");
  text.textContent = "";
  text.append(...[...grouped(got.receipt)].map((sign) => {
    if (sign === " ") return document.createTextNode(" ");
    const digit = document.createElement("b");
    digit.textContent = sign;
    return digit;
  }));
  const { draw } = await import("./keep.js");
  const url = URL.createObjectURL(await draw(got.receipt, got.qr));
  $("receipt-picture").src = $("save").href = url;
  $("receipt-picture").alt = `${voice.named("receipt")} ${grouped(got.receipt)}`;
  show("receipt", { back: false, quiet: true });
  if (quiet) return;
  await voice.say("sent");
  if (current() === "receipt") await sayReceipt();
}

const sayReceipt = () => voice.sayDigits(receipt.receipt, $("receipt-digits").querySelectorAll("b"));

async function consent(agreed) {
  try {
    await ask("PUT", "/receipt/consent", { body: { agreed }, authorization: `Receipt ${receipt.receipt}` });
  } catch {
    return voice.say("failed");
  }
  await store.remove("receipts", receipt.key);
  receipt = null;
  return show("finished", { back: false, say: [agreed ? "consent_yes" : "consent_no", "finished"] });
}

// ---- opening the page

async function resume() {
  // A page that cannot look into its store still takes a report.
  const [left, kept] = await Promise.all([store.get("drafts", about.channel), store.all("receipts")]).catch(() => [null, []]);
  const seen = kept.filter((one) => Date.now() - one.at < RECEIPT_MS);
  for (const old of kept.filter((one) => !seen.includes(one))) await store.remove("receipts", old.key);
  if (seen.length) {
    await voice.speakIn(seen[0].language === LISTENER ? about.languages[0] : seen[0].language);
    await showReceipt(seen[0], true);
  } else if (left && (left.parts.length || left.text.trim())) {
    draft = left;
    await voice.speakIn(left.language === LISTENER ? about.languages[0] : left.language);
    show("drafted", { back: false, quiet: true });
  }
}

async function useDraft() {
  const lost = [];
  for (const part of draft.parts) {
    const blob = await store.blobOf(part.id, part.mime);
    part.size = blob.size;
    if (!blob.size) lost.push(part);
  }
  draft.parts = draft.parts.filter((part) => !lost.includes(part));
  await restore();
  show("languages", { back: false, quiet: true });
  show("speak");
}

async function dropDraft() {
  await store.forget(draft.parts.map((part) => part.id));
  await store.remove("drafts", about.channel);
  draft = null;
  show("languages", { back: false, say: "restarted" });
}

function welcome() {
  if (current() === "languages") voice.say("welcome").then(() => current() === "languages" && voice.hearAll([...about.languages, LISTENER]));
  else voice.say($(current()).dataset.say);
}

wire();
for (const button of document.querySelectorAll("[data-choose]")) button.addEventListener("click", () => choose(button.dataset.choose));
for (const button of document.querySelectorAll("[data-hear]")) button.addEventListener("click", () => voice.hear(button.dataset.hear));
$("replay").addEventListener("click", () => (current() === "languages" ? welcome() : voice.again()));
onFirstTouch((target) => target.closest?.("button, a, label, input, textarea") ?? welcome());
$("main").addEventListener("click", press);
$("pause").addEventListener("click", () => {
  recording.pause();
  state("paused");
  voice.say("paused");
});
$("restart").addEventListener("click", restart);
$("hear").addEventListener("click", () => hear(voices()));
$("more").addEventListener("click", begin);
$("photo-file").addEventListener("change", (event) => addPhotos(event.target.files).then(() => (event.target.value = "")));
$("sound-file").addEventListener("change", async (event) => {
  for (const file of event.target.files) await addFile(file, "voice");
  event.target.value = "";
  paint();
  voice.say("review");
});
$("write").addEventListener("click", () => show("writing"));
$("text").addEventListener("input", () => {
  draft.text = $("text").value;
  save();
});
$("text-done").addEventListener("click", () => {
  show("languages", { back: false, quiet: true });
  paint();
  show("speak");
});
$("who").addEventListener("click", () => show("naming", { say: draft.identity === "anonymous" ? "anonymous" : "named" }));
$("be-anonymous").addEventListener("click", () => identity("anonymous"));
$("be-named").addEventListener("click", () => identity("real_name"));
$("say-name").addEventListener("click", sayName);
$("hear-name").addEventListener("click", () => hear(parts("voice", "identity")));
for (const field of ["name", "contact"]) {
  $(field).addEventListener("input", () => {
    draft[field] = $(field).value;
    save();
  });
}
$("name-done").addEventListener("click", () => {
  show("languages", { back: false, quiet: true });
  paint();
  show("speak");
});
$("upward").addEventListener("click", () => {
  draft.upward = !draft.upward;
  save();
  paint();
  voice.say(draft.upward ? "upward_on" : "upward_off");
});
$("say-digits").addEventListener("click", sayReceipt);
$("save").addEventListener("click", () => voice.say("saved"));
$("to-consent").addEventListener("click", () => show("consent"));
$("consent-yes").addEventListener("click", () => consent(true));
$("consent-no").addEventListener("click", () => consent(false));
$("another-report").addEventListener("click", () => show("languages", { back: false }));
$("draft-use").addEventListener("click", useDraft);
$("draft-discard").addEventListener("click", dropDraft);
onLeave("speak", () => recording && finish("review"));
onLeave("naming", () => naming && sayName());

voice.speakIn(about.languages[0]);
show("languages", { quiet: true });
resume().then(() => watch(listeners));
keepForOffline();
performance.mark("usable");
