// Prompts: play what is heard now, record a better one or upload it, and take it back.

import { ask, notify, t } from "./console.js";

const MOST_SECONDS = 60;
const BITS_PER_SECOND = 32000;
const LOOK_MS = 1000;
const LOOKS_MOST = 30;
// What every phone plays comes first.
const TYPES = ["audio/mp4;codecs=mp4a.40.2", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];
const player = new Audio();
let recorder = null;

/** Tell how long a sound is by decoding it: headers lie. */
async function secondsOf(blob) {
  const context = new AudioContext();
  try {
    return (await context.decodeAudioData(await blob.arrayBuffer())).duration;
  } catch {
    throw new Error(t("这个文件放不出来，请换 MP3、M4A、Ogg 或 WAV。", "This file does not play: use MP3, M4A, Ogg or WAV."));
  } finally {
    context.close();
  }
}

/** Do one thing to a row at a time: what is clicked meanwhile would be meant for what is shown now. */
async function alone(row, work) {
  row.inert = true;
  try {
    return await work();
  } finally {
    row.inert = false;
  }
}

/** Put the row that an answer holds in place of the one that is there. */
async function put(row, answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = document.adoptNode(page.getElementById(row.id));
  row.replaceWith(fresh);
  return fresh;
}

async function change(row, address, options) {
  return put(row, await ask(address, { method: "POST", headers: { "HX-Request": "true", Accept: "text/html" }, ...options }));
}

/** Look again until a worker has made the recording playable; give the row as it is then. */
async function settled(row) {
  for (let looks = 0; row.isConnected && "waiting" in row.dataset && looks < LOOKS_MOST; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (row.isConnected) row = await put(row, await ask(location.href));
  }
  return row;
}

async function send(row, blob) {
  const query = new URLSearchParams({ channel: row.dataset.channel, seconds: (await secondsOf(blob)).toFixed(2) });
  const fresh = await settled(await change(row, `${row.dataset.url}?${query}`, { body: blob }));
  if ("waiting" in fresh.dataset) return notify(t("录好了，转好格式以后就放它。", "Recorded: it is heard as soon as it is converted."));
  notify(t("录好了，现在放的就是它。", "Recorded: this is what is heard now."));
  fresh.querySelector("[data-play]")?.click();
}

async function record(button, row) {
  if (recorder) return recorder.stop();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  } catch {
    return notify(t("浏览器没有给麦克风，请允许后再录，或上传录音。", "No microphone: allow it, or upload a recording."), "fault");
  }
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const mine = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND });
  const pieces = [];
  const words = button.querySelector("[data-words]");
  const began = words.textContent;
  const end = setTimeout(() => mine.stop(), MOST_SECONDS * 1000);
  mine.addEventListener("dataavailable", (event) => pieces.push(event.data));
  mine.addEventListener("stop", async () => {
    clearTimeout(end);
    recorder = null;
    for (const track of stream.getTracks()) track.stop();
    button.classList.remove("recording");
    words.textContent = began;
    act(alone(row, () => send(row, new Blob(pieces, { type: mine.mimeType }))));
  });
  player.pause();
  recorder = mine;
  mine.start();
  button.classList.add("recording");
  words.textContent = t("停止", "Stop");
}

const act = (work) => work.catch((error) => notify(error.message, "fault"));

document.addEventListener("click", (event) => {
  const button = event.target.closest("li.prompt button");
  if (!button) return;
  const row = button.closest("li");
  if (button.dataset.play) {
    // The recording may be new under the same address.
    player.src = `${button.dataset.play}?${Date.now()}`;
    act(player.play());
  } else if ("record" in button.dataset) act(record(button, row));
  else if ("remove" in button.dataset) {
    const query = new URLSearchParams({ channel: row.dataset.channel });
    act(alone(row, () => change(row, `${row.dataset.url}/removal?${query}`, {})).then(() => notify(t("已删掉，恢复原来的。", "Removed: what was there before is heard again."))));
  }
});

document.addEventListener("change", (event) => {
  const row = event.target.closest("li.prompt");
  const [file] = event.target.files ?? [];
  if (row && file) act(alone(row, () => send(row, file)));
});
