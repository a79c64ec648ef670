// A recording on its way from the microphone into the store, a piece each second.

import { hint, loudness, measure } from "./levels.js";
import * as store from "./store.js";

const PIECE_MS = 1000;
const LEVEL_MS = 100;
const BITS_PER_SECOND = 24000;
const TYPES = ["audio/webm;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4", "audio/ogg;codecs=opus"];

export const possible = () =>
  Boolean(globalThis.MediaRecorder && navigator.mediaDevices?.getUserMedia && globalThis.isSecureContext);

/** Draw up a part of a report. purpose : complaint, identity or addition. */
export const part = (kind, purpose, mime) => ({ id: store.draw(), kind, purpose, mime, seconds: 0, size: 0 });

export class Recorder {
  /**
   * onLevel(level 0..1, hint) ten times a second; onPiece(part) when a piece is safe; onEnd(part) when
   * the recorder stopped by itself: the limit in seconds was reached, or the phone took the microphone.
   */
  constructor({ limit, purpose, onLevel, onPiece, onEnd, onFull }) {
    Object.assign(this, { limit, purpose, onLevel, onPiece, onEnd, onFull });
    this.history = [];
    this.counted = 0;
    this.since = null;
  }

  /** Ask for the microphone and begin; throw if it is refused. */
  async start() {
    // What a telephone call takes away with the noise, the recogniser and a listener would miss.
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, noiseSuppression: false, echoCancellation: false, autoGainControl: true },
    });
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported?.(type));
    this.media = new MediaRecorder(this.stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND });
    this.part = part("voice", this.purpose, (this.media.mimeType || mimeType || "audio/webm").split(";")[0]);
    this.written = Promise.resolve();
    this.number = 0;
    this.media.ondataavailable = (event) => this._write(event.data);
    this.stopped = new Promise((resolve) => (this.media.onstop = resolve));
    for (const track of this.stream.getTracks()) track.onended = () => this._stopByItself();
    this.media.start(PIECE_MS);
    this.since = performance.now();
    this._listen();
    this.timer = setInterval(() => this._tick(), LEVEL_MS);
    return this.part;
  }

  get seconds() {
    const running = this.since === null ? 0 : (performance.now() - this.since) / 1000;
    return this.counted + running;
  }

  pause() {
    this.media.requestData();
    this.media.pause();
    this.counted = this.seconds;
    this.since = null;
    return this.written;
  }

  resume() {
    this.media.resume();
    this.since = performance.now();
  }

  /** End the recording; its last piece is safe when the promise is kept. */
  async stop() {
    clearInterval(this.timer);
    this.counted = this.seconds;
    this.since = null;
    if (this.media.state !== "inactive") this.media.stop();
    await this.stopped;
    for (const track of this.stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.sound?.close().catch(() => {});
    await this.written;
    this.part.seconds = this.counted;
    return this.part;
  }

  _write(data) {
    if (!data.size) return;
    const number = this.number++;
    this.written = this.written
      .then(() => data.arrayBuffer())
      .then((bytes) => store.keep(this.part.id, number, bytes))
      .then(() => {
        this.part.size += data.size;
        this.part.seconds = this.seconds;
        return this.onPiece?.(this.part);
      })
      .catch((error) => this.onFull?.(error));
  }

  _listen() {
    const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
    if (!Context) return;
    this.sound = new Context();
    this.sound.resume?.().catch(() => {});
    this.analyser = this.sound.createAnalyser();
    this.analyser.fftSize = 2048;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.sound.createMediaStreamSource(this.stream).connect(this.analyser);
  }

  _tick() {
    if (this.since === null) return;
    if (this.analyser) {
      this.analyser.getFloatTimeDomainData(this.samples);
      const level = measure(this.samples);
      this.history.push(level);
      if (this.history.length > 100) this.history.shift();
      this.onLevel?.(loudness(level.rms), hint(this.history), this.seconds);
    } else {
      this.onLevel?.(0.5, "", this.seconds);
    }
    if (this.seconds >= this.limit) this._stopByItself();
  }

  async _stopByItself() {
    const ended = this.seconds >= this.limit;
    this.onEnd?.(await this.stop(), ended);
  }
}
