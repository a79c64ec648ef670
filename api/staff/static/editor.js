// Correcting one transcript in place. The page is the text; what is sent are its segments.
import { ask, notify, t } from "./console.js";
import { difference, occurrences, replaceAll } from "./words.js";

const DRAFT_MS = 700;
const UNDO_MOST = 100;

export class Editor {
  constructor(section, url, player, saved) {
    this.section = section;
    this.url = url;
    this.player = player;
    this.saved = saved;
    this.base = Number(section.dataset.base);
    this.dirty = false;
    this.past = [];
    this.correction = null;
    this.list.addEventListener("input", () => this.#touched());
    this.#listen();
  }

  get list() {
    return this.section.querySelector(".segments");
  }

  /** The transcript as it stands on the page. */
  written() {
    const segments = [...this.list.querySelectorAll(".segment")].map((element) => {
      const of = element.dataset.of ? element.dataset.of.split(",").map(Number) : [];
      const made = {
        of,
        text: element.querySelector(".words").textContent.trim(),
        language: element.dataset.language || "und",
        mark: element.dataset.mark || "",
      };
      if (!of.length) {
        made.start = Number(element.dataset.start);
        made.end = Number(element.dataset.end);
      }
      return made;
    });
    return { base: this.base, segments };
  }

  /** Begin to edit a segment, the caret at a word if one is given. */
  edit(element = this.player.current, word = null) {
    if (!element || this.section.dataset.editable !== "yes") return;
    const field = element.querySelector(".words");
    if (field.isContentEditable) return;
    this.finish();
    this.#remember();
    this.before = field.textContent;
    this.field = field;
    field.contentEditable = "plaintext-only";
    if (field.contentEditable !== "plaintext-only") field.contentEditable = "true";
    field.setAttribute("role", "textbox");
    field.setAttribute("aria-multiline", "true");
    field.setAttribute("aria-label", t("本段文字", "text of this segment"));
    field.focus();
    const place = document.createRange();
    place.selectNodeContents(word ?? field);
    place.collapse(Boolean(word));
    getSelection().removeAllRanges();
    getSelection().addRange(place);
  }

  /** End editing, and see whether the same word is wrong elsewhere. */
  finish() {
    const { field } = this;
    if (!field) return;
    this.field = null;
    field.removeAttribute("contenteditable");
    field.removeAttribute("role");
    field.removeAttribute("aria-multiline");
    field.removeAttribute("aria-label");
    const after = field.textContent;
    if (after === this.before) {
      this.past.pop();
      this.#buttons();
      return;
    }
    this.#tidy(field);
    const [was, is] = difference(this.before, after).map((text) => text.trim());
    this.#offer(was, is, field);
    this.player.collect();
    this.#touched();
  }

  /** Put the last correction everywhere that the same stands. */
  everywhere() {
    if (!this.correction) return;
    const { was, is } = this.correction;
    this.#remember();
    let count = 0;
    for (const field of this.list.querySelectorAll(".words")) {
      const here = occurrences(field.textContent, was);
      if (!here) continue;
      count += here;
      this.#rewrite(field, replaceAll(field.textContent, was, is));
    }
    this.correction = null;
    this.#everywhereButton();
    this.player.collect();
    this.#touched();
    notify(t(`改正了 ${count} 处。`, `${count} more corrected.`));
  }

  /** Cut the segment in two at the caret. */
  split() {
    const selection = getSelection();
    if (!this.field || !selection.rangeCount) return;
    const element = this.field.closest(".segment");
    const rest = document.createRange();
    rest.setStart(selection.anchorNode, selection.anchorOffset);
    rest.setEnd(this.field, this.field.childNodes.length);
    const twin = element.cloneNode(true);
    const field = twin.querySelector(".words");
    field.replaceChildren(rest.extractContents());
    field.removeAttribute("contenteditable");
    twin.querySelector(".flags")?.remove();
    const first = field.querySelector(".w[data-s]");
    const start = first ? Number(first.dataset.s) : this.player.now;
    twin.dataset.start = start;
    if (!element.dataset.of) element.dataset.end = start;
    element.after(twin);
    this.player.collect();
    this.#touched();
    this.edit(twin);
    getSelection().collapse(field, 0);
  }

  /** Join the segment to the one before it. */
  join() {
    const element = this.field?.closest(".segment");
    const before = element?.previousElementSibling;
    if (!before) return false;
    const field = before.querySelector(".words");
    const of = [...new Set([...before.dataset.of.split(","), ...element.dataset.of.split(",")])].filter(Boolean);
    before.dataset.of = of.join(",");
    before.dataset.end = element.dataset.end;
    const spaced = /[\p{L}\p{N}]$/u.test(field.textContent) && !/[\u3400-\u9fff\ua000-\ua4cf]$/.test(field.textContent);
    if (spaced) field.append(" ");
    field.append(...this.field.childNodes);
    element.remove();
    this.field = null;
    this.player.collect();
    this.#touched();
    this.edit(before);
    return true;
  }

  /** Let a language or a mark be chosen for a segment. */
  choose(kind, element = this.player.current) {
    if (!element || this.section.dataset.editable !== "yes") return;
    const button = element.querySelector(`[data-do="${kind}"]`);
    const select = document.createElement("select");
    select.setAttribute("aria-label", button.title);
    select.append(this.section.querySelector(kind === "mark" ? "[data-marks]" : "[data-languages]").content.cloneNode(true));
    select.value = element.dataset[kind];
    button.after(select);
    select.focus();
    select.showPicker?.();
    const close = () => select.remove();
    select.addEventListener("blur", close);
    select.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || event.key === "Enter") {
        event.preventDefault();
        select.blur();
      }
      event.stopPropagation();
    });
    select.addEventListener("change", () => {
      this.#remember();
      element.dataset[kind] = select.value;
      const name = select.selectedOptions[0]?.textContent ?? select.value;
      button.textContent = kind === "mark" && !select.value ? "…" : name;
      if (kind === "language") element.querySelector(".words").lang = select.value;
      this.#touched();
      select.blur();
    });
  }

  undo() {
    const before = this.past.pop();
    if (!before) return;
    this.field = null;
    this.list.replaceWith(before);
    this.list.addEventListener("input", () => this.#touched());
    this.player.collect();
    this.#touched();
  }

  async save() {
    this.finish();
    if (!this.dirty) return true;
    clearTimeout(this.timer);
    try {
      await ask(`${this.url}/transcript`, { method: "POST", json: this.written() });
    } catch (error) {
      notify(error.message, "fault");
      // Whoever was overtaken goes to look at the newer version, and finds this again there.
      await this.#draft();
      return false;
    }
    this.#clean();
    notify(t("已保存为新版本。", "Saved as a new version."));
    await this.saved();
    return true;
  }

  async accept() {
    if (!(await this.save())) return;
    await this.player.queue;
    try {
      await ask(`${this.url}/accept`, { method: "POST", body: new URLSearchParams({ version: this.base }) });
      notify(t("文字稿已确认。", "The transcript is accepted."));
      await this.saved();
    } catch (error) {
      notify(error.message, "fault");
      if (error.code === "not_heard") {
        const missing = this.list.querySelector(".segment:not(.heard)");
        if (missing) this.player.seek(Number(missing.dataset.start));
      }
    }
  }

  /** Take up what was begun before. */
  restore(draft) {
    const known = new Map([...this.list.querySelectorAll(".segment")].map((one) => [one.dataset.of, one]));
    const blank = this.list.querySelector(".segment");
    this.#remember();
    const made = draft.segments.map((segment) => {
      const source = known.get(segment.of.join(",")) ?? known.get(String(segment.of[0] ?? "")) ?? blank;
      const element = source.cloneNode(true);
      element.dataset.of = segment.of.join(",");
      element.dataset.language = segment.language;
      element.dataset.mark = segment.mark;
      if (segment.start != null) element.dataset.start = segment.start;
      if (segment.end != null) element.dataset.end = segment.end;
      const field = element.querySelector(".words");
      if (field.textContent.trim() !== segment.text) this.#rewrite(field, segment.text);
      return element;
    });
    this.list.replaceChildren(...made);
    this.player.collect();
    this.#touched();
  }

  async forget() {
    await ask(`${this.url}/draft`, { method: "DELETE" }).catch(() => {});
    this.section.querySelector(".notice.draft")?.remove();
  }

  /** Take over what the server gave after a change. */
  renewed() {
    this.base = Number(this.section.dataset.base);
    this.past = [];
    this.correction = null;
    this.list.addEventListener("input", () => this.#touched());
    this.#clean();
    this.#everywhereButton();
  }

  #listen() {
    this.section.addEventListener("keydown", (event) => {
      if (!this.field || event.target !== this.field) return;
      const handled = this.#key(event);
      if (handled) {
        event.preventDefault();
        event.stopPropagation();
      }
    });
    this.section.addEventListener("focusout", (event) => {
      if (event.target === this.field && !this.section.contains(event.relatedTarget)) this.finish();
    });
    this.section.addEventListener("paste", (event) => {
      if (!this.field || this.field.contentEditable === "plaintext-only") return;
      event.preventDefault();
      document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    });
    addEventListener("pagehide", () => {
      if (this.timer) this.#draft(true);
    });
    addEventListener("beforeunload", (event) => {
      if (this.dirty && this.timer) event.preventDefault();
    });
  }

  #key(event) {
    const { field } = this;
    if (event.isComposing) return false;
    if (event.key === "Escape") this.finish();
    else if (event.key === "Tab" && event.shiftKey) this.player.seek(this.player.now - 2);
    else if (event.key === "Tab") this.player.toggle();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.split();
    else if (event.key === "Enter") {
      const next = field.closest(".segment").nextElementSibling;
      this.finish();
      if (next?.classList.contains("segment")) {
        this.player.seek(Number(next.dataset.start));
        this.edit(next);
      }
    } else if (event.key === "Backspace" && this.#atStart()) return this.join();
    else if ((event.ctrlKey || event.metaKey) && event.key === "s") this.save();
    else return false;
    return true;
  }

  #atStart() {
    const selection = getSelection();
    if (!selection.isCollapsed) return false;
    const head = document.createRange();
    head.selectNodeContents(this.field);
    head.setEnd(selection.anchorNode, selection.anchorOffset);
    return head.toString() === "";
  }

  #offer(was, is, field) {
    this.correction = null;
    if (was && is && was.length < 40) {
      let elsewhere = 0;
      for (const other of this.list.querySelectorAll(".words"))
        elsewhere += occurrences(other.textContent, was) - (other === field ? occurrences(is, was) : 0);
      if (elsewhere > 0) this.correction = { was, is, elsewhere };
    }
    this.#everywhereButton();
  }

  #everywhereButton() {
    const button = this.section.querySelector('[data-do="everywhere"]');
    if (!button) return;
    button.hidden = !this.correction;
    if (this.correction) {
      const { was, is, elsewhere } = this.correction;
      button.textContent = t(`还有 ${elsewhere} 处“${was}”，都改成“${is}”（F）`, `${elsewhere} more “${was}”: make all “${is}” (F)`);
    }
  }

  /** Write a new text into a field, keeping the words at both ends that stay. */
  #rewrite(field, text) {
    const spans = [...field.childNodes];
    let head = 0;
    let used = 0;
    while (head < spans.length && text.startsWith(spans[head].textContent, used)) {
      used += spans[head].textContent.length;
      head += 1;
    }
    let tail = spans.length;
    let end = text.length;
    while (tail > head && text.slice(used, end).endsWith(spans[tail - 1].textContent)) {
      end -= spans[tail - 1].textContent.length;
      tail -= 1;
    }
    const middle = text.slice(used, end);
    const replaced = spans.slice(head, tail);
    const made = [];
    if (middle) {
      const span = document.createElement("span");
      span.className = "w edited";
      span.textContent = middle;
      const timed = replaced.filter((node) => node.dataset?.s);
      if (timed.length) {
        span.dataset.s = timed[0].dataset.s;
        span.dataset.e = timed.at(-1).dataset.e;
      }
      made.push(span);
    }
    field.replaceChildren(...spans.slice(0, head), ...made, ...spans.slice(tail));
    field.closest(".segment")?.classList.add("changed");
  }

  /** Bring what the browser made of typed text back to words. */
  #tidy(field) {
    const text = field.textContent.replace(/\s+/g, " ");
    const known = this.past.at(-1)?.querySelector(`[data-of="${CSS.escape(field.closest(".segment").dataset.of)}"] .words`);
    if (known) field.replaceChildren(...[...known.childNodes].map((node) => node.cloneNode(true)));
    this.#rewrite(field, text);
  }

  #remember() {
    this.past.push(this.list.cloneNode(true));
    for (const field of this.past.at(-1).querySelectorAll("[contenteditable]")) field.removeAttribute("contenteditable");
    if (this.past.length > UNDO_MOST) this.past.shift();
    this.#buttons();
  }

  #touched() {
    this.dirty = true;
    this.field?.closest(".segment").classList.add("changed");
    this.#buttons();
    this.#say(t("正在保存草稿…", "saving a draft…"));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#draft(), DRAFT_MS);
  }

  async #draft(keepalive = false) {
    this.timer = null;
    try {
      await ask(`${this.url}/draft`, { method: "PUT", json: this.written(), keepalive });
      if (this.dirty) this.#say(t("草稿已保存，还不是新版本", "draft kept, not a version yet"));
    } catch (error) {
      this.#say(error.message);
    }
  }

  #clean() {
    clearTimeout(this.timer);
    this.timer = null;
    this.dirty = false;
    this.#say("");
    this.#buttons();
    this.section.querySelector(".notice.draft")?.remove();
  }

  #buttons() {
    const button = (name) => this.section.querySelector(`[data-do="${name}"]`);
    if (button("save")) button("save").disabled = !this.dirty;
    if (button("undo")) button("undo").disabled = !this.past.length;
    if (button("accept")) button("accept").disabled = this.section.dataset.accepted === "yes" && !this.dirty;
  }

  #say(text) {
    const line = this.section.querySelector("[data-saved]");
    if (line) line.textContent = text;
  }
}
