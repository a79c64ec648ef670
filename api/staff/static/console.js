// What every page of the console shares: keys, help, notices, and an ended session.

// What needs scripts is offered once every script of the page has run: a click before is lost.
document.addEventListener("DOMContentLoaded", () => document.documentElement.classList.add("scripted"));
const zh = document.documentElement.lang.startsWith("zh");

/** Choose between the two languages of the console. */
export const t = (chinese, english) => (zh ? chinese : english);

/** Tell whether keys are being typed into something. */
export const isTyping = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Show a sentence for a while. */
export function notify(text, kind = "") {
  const box = document.createElement("p");
  box.className = `notice ${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "plain";
  close.textContent = "×";
  close.setAttribute("aria-label", t("关闭", "Close"));
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  document.getElementById("notices").replaceChildren(box);
  if (kind !== "fault") setTimeout(() => box.remove(), 5000);
}

const csrfTag = () => document.querySelector('meta[name="csrf"]');

/**
 * Ask the server. An ended session opens the login over the page, so that nothing on it is lost,
 * and the same is asked again afterwards. Throws an Error with `code` on a refusal.
 */
export async function ask(url, { method = "GET", json, body, headers = {}, keepalive = false } = {}) {
  const options = { method, keepalive, headers: { Accept: "application/json", "X-Csrf": csrfTag()?.content ?? "", ...headers } };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["Content-Type"] = "application/json";
  } else if (body !== undefined) options.body = body;
  const before = logins;
  const answer = await fetch(url, options);
  if (answer.status === 401) {
    if (options.headers["X-Polled"]) return null;
    // An answer to the ended session may come after somebody has logged in again.
    if (logins === before) await logInAgain();
    return ask(url, { method, json, body, headers });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const error = new Error(zh ? problem.zh : problem.en);
    error.code = problem.code;
    throw error;
  }
  return answer;
}

let loggingIn = null;
let logins = 0;

/** Open the login over the page and wait until it succeeded. */
export function logInAgain() {
  loggingIn ??= new Promise((resolve) => {
    const dialog = document.getElementById("login-again");
    const form = dialog.querySelector("form");
    const ended = new AbortController();
    const resume = (token) => {
      csrfTag().content = token;
      for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = token;
      form.querySelector('[name="password"]').value = "";
      form.querySelector(".fault").textContent = "";
      ended.abort();
      dialog.close();
      logins += 1;
      loggingIn = null;
      resolve();
    };
    dialog.showModal();
    dialog.addEventListener("cancel", (event) => event.preventDefault(), { signal: ended.signal });
    // Whoever logged in in another window comes back to this one, and it goes on by itself.
    addEventListener("focus", async () => {
      const answer = await fetch("/staff/account", { headers: { Accept: "text/html", "X-Polled": "1" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const name = page.querySelector('#login-again [name="username"]')?.getAttribute("value");
      const token = page.querySelector('meta[name="csrf"]')?.content;
      if (!ended.signal.aborted && token && name === form.querySelector('[name="username"]').defaultValue) resume(token);
    }, { signal: ended.signal });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams(new FormData(form)),
      });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        form.querySelector(".fault").textContent = (zh ? problem.zh : problem.en) ?? "";
        return;
      }
      resume(answer.headers.get("X-Csrf"));
    }, { signal: ended.signal });
  });
  return loggingIn;
}

const help = document.getElementById("help");
const openHelp = () => (help.open ? help.close() : help.showModal());
document.querySelector("[data-help]")?.addEventListener("click", openHelp);
document.addEventListener("click", (event) => {
  event.target.closest?.("[data-dismiss]")?.closest(".notice")?.remove();
});

let wentTo = 0;
document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || !help) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (event.key === "?") openHelp();
  else if (event.key === "/") {
    const field = document.getElementById("q");
    if (field) field.select();
    else location.assign("/staff/inbox");
  } else if (event.key === "g") wentTo = Date.now();
  else if (event.key === "i" && Date.now() - wentTo < 1200) location.assign("/staff/inbox");
  else {
    const link = document.querySelector(`a[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!link) return;
    link.click();
  }
  event.preventDefault();
});

// The inbox: a list that is walked with the keyboard, and filters that need no button.
const rows = document.getElementById("rows");
if (document.body.classList.contains("inbox")) {
  const links = () => [...(rows?.querySelectorAll(".row a") ?? [])];
  const step = (by) => {
    const all = links();
    const at = all.indexOf(document.activeElement);
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
    next?.focus();
    if (at > all.length - 4) rows.querySelector(".more a")?.click();
  };
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const views = document.querySelectorAll(".views a");
    if (event.key === "ArrowDown" || event.key === "j") step(1);
    else if (event.key === "ArrowUp" || event.key === "k") step(-1);
    else if (event.key === "Home") links()[0]?.focus();
    else if (/^[1-9]$/.test(event.key) && views[event.key - 1]) views[event.key - 1].click();
    else return;
    event.preventDefault();
  });
  document.getElementById("q").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      links()[0]?.focus();
    }
  });
  document.getElementById("filters").addEventListener("change", (event) => event.currentTarget.requestSubmit());
  if (new URLSearchParams(location.search).has("gone"))
    notify(t("这件举报已移交，不再由您这一级查看。", "That complaint has moved on and is no longer yours to see."));
}
