// Playing one recording: waveform, lit word, loop, speed, and telling the server what was played.
import { ask } from "./console.js";
import { clock, columns, segmentAt, wordAt } from "./words.js";

const REPORT_SECONDS = 2.5;

export class Player {
  /** section: the recording's element; changed: called when the server says what was heard. */
  constructor(section, url, changed) {
    this.section = section;
    this.url = url;
    this.changed = changed;
    this.audio = section.querySelector("audio");
    this.audio.controls = false;
    this.audio.preservesPitch = true;
    this.canvas = section.querySelector("canvas");
    this.length = Number(section.dataset.seconds) || 0;
    this.peaks = null;
    this.loop = false;
    this.stopAt = null;
    this.from = null;
    this.last = 0;
    this.lit = null;
    this.collect();
    this.#listen();
    this.#fetchPeaks();
  }

  /** Read words and segments from the page anew, after it changed. */
  collect() {
    this.segments = [...this.section.querySelectorAll(".segment")].map((element) => ({
      element,
      start: Number(element.dataset.start),
      end: Number(element.dataset.end),
    }));
    this.words = [...this.section.querySelectorAll(".w[data-s]")].map((element) => ({
      element,
      start: Number(element.dataset.s),
      end: Number(element.dataset.e),
    }));
    this.words.sort((a, b) => a.start - b.start);
    this.lit = null;
    this.draw();
  }

  get now() {
    return this.audio.currentTime;
  }

  get playing() {
    return !this.audio.paused;
  }

  toggle() {
    if (this.playing) this.audio.pause();
    else this.audio.play().catch(() => {});
  }

  /** Jump to a moment. until: stop there by itself. */
  seek(seconds, { play = false, until = null } = {}) {
    this.#report();
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.length || seconds));
    this.last = this.audio.currentTime;
    this.from = this.playing ? this.audio.currentTime : null;
    this.stopAt = until;
    this.#show();
    if (play && !this.playing) this.toggle();
  }

  stepWord(by) {
    const at = this.words.findLastIndex((word) => word.start <= this.now + 0.02);
    const next = this.words[Math.max(0, Math.min(this.words.length - 1, at + by))];
    if (next) this.seek(next.start + 0.001);
  }

  stepSegment(by) {
    const at = segmentAt(this.segments, this.now);
    const next = this.segments[Math.max(0, Math.min(this.segments.length - 1, at + by))];
    if (!next) return;
    this.seek(next.start + 0.001);
    next.element.scrollIntoView({ block: "nearest" });
  }

  setLoop(on = !this.loop) {
    this.loop = on;
    this.stopAt = null;
    this.section.querySelector('[data-do="loop"]').setAttribute("aria-pressed", String(on));
    const at = this.segments[segmentAt(this.segments, this.now)];
    this.looped = on && at ? at : null;
    if (this.looped) this.seek(this.looped.start, { play: true });
  }

  setSpeed(speed) {
    const kept = Math.min(2, Math.max(0.5, Math.round(speed * 10) / 10));
    this.audio.playbackRate = kept;
    const slider = this.section.querySelector("[data-speed]");
    slider.value = kept;
    slider.nextElementSibling.value = `${kept.toFixed(1)}×`;
  }

  /** The segment under the playhead. */
  get current() {
    return this.segments[segmentAt(this.segments, this.now)]?.element ?? this.segments[0]?.element;
  }

  #listen() {
    const { audio } = this;
    audio.addEventListener("play", () => {
      this.section.classList.add("playing");
      this.from = audio.currentTime;
      this.last = audio.currentTime;
      this.#send(this.from, this.from);
      this.#frame();
    });
    audio.addEventListener("pause", () => {
      this.section.classList.remove("playing");
      this.#report();
      this.from = null;
    });
    audio.addEventListener("ended", () => this.#report(true));
    audio.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(audio.duration) && !this.length) this.length = audio.duration;
      this.draw();
    });
    this.canvas.parentElement.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.length);
    });
    this.section.querySelector("[data-speed]").addEventListener("input", (event) => this.setSpeed(Number(event.target.value)));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  #frame() {
    if (!this.playing) return;
    this.#show();
    requestAnimationFrame(() => this.#frame());
  }

  #show() {
    const seconds = this.now;
    if (this.looped && this.playing && seconds >= this.looped.end) return this.seek(this.looped.start);
    if (this.stopAt !== null && seconds >= this.stopAt) {
      this.stopAt = null;
      this.audio.pause();
    }
    this.last = seconds;
    if (this.from !== null && seconds - this.from >= REPORT_SECONDS) this.#report();
    const word = this.words[wordAt(this.words, seconds)]?.element ?? null;
    if (word !== this.lit) {
      this.lit?.classList.remove("lit");
      word?.classList.add("lit");
      this.lit = word;
    }
    const segment = this.current;
    if (segment !== this.shown) {
      this.shown?.classList.remove("now");
      segment?.classList.add("now");
      this.shown = segment;
      if (this.playing) segment?.scrollIntoView({ block: "nearest" });
    }
    this.section.querySelector("[data-now]").textContent = clock(seconds);
    this.draw();
  }

  #report(ended = false) {
    if (this.from === null) return;
    const end = ended ? Math.max(this.last, this.audio.duration || 0) : this.last;
    if (end > this.from + 0.05) this.#send(this.from, end);
    this.from = this.last;
  }

  // One after the other: the server counts the seconds that passed between two reports.
  #send(start, end) {
    this.queue = (this.queue ?? Promise.resolve()).then(async () => {
      try {
        const answer = await ask(`${this.url}/heard`, { method: "POST", json: { start, end } });
        if (answer) this.changed(await answer.json());
      } catch {
        // What was not recorded is simply heard again.
      }
    });
    return this.queue;
  }

  async #fetchPeaks() {
    try {
      const answer = await ask(`${this.url}/peaks`);
      const bytes = new Int8Array(await answer.arrayBuffer());
      if (bytes.length) this.peaks = bytes;
    } catch {
      this.peaks = null;
    }
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const box = canvas.getBoundingClientRect();
    if (!box.width) return;
    const scale = window.devicePixelRatio || 1;
    const width = Math.round(box.width * scale);
    const height = Math.round(box.height * scale);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      this.cached = null;
    }
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    pen.clearRect(0, 0, width, height);
    const middle = height / 2;
    const x = (seconds) => (this.length ? (seconds / this.length) * width : 0);
    const at = x(this.now);
    for (const { start, end, element } of this.segments ?? []) {
      pen.fillStyle = element.classList.contains("heard") ? "#cfe6d6" : "#e7e4da";
      pen.fillRect(x(start), height - 4 * scale, Math.max(1, x(end) - x(start) - scale), 4 * scale);
    }
    const bar = 3 * scale;
    const count = Math.max(1, Math.floor(width / bar));
    if (this.peaks) this.cached ??= columns(this.peaks, count);
    for (let n = 0; n < count; n += 1) {
      const [low, high] = this.cached?.[n] ?? [-0.02, 0.02];
      const left = n * bar;
      pen.fillStyle = left <= at ? colour("--accent") : "#a9b5b1";
      const reach = Math.max(0.03, (high - low) / 2) * (middle - 6 * scale);
      pen.fillRect(left, middle - 2 * scale - reach, bar - scale, 2 * reach);
    }
    pen.fillStyle = colour("--bad");
    pen.fillRect(Math.round(at), 0, Math.max(1, Math.round(1.5 * scale)), height);
  }
}
