// What is sent: resumable, one at a time, again and again until the receipt has come.

import { load } from "./scripts.js";
import * as store from "./store.js";

// Small enough that a proxy which holds requests back until they are whole still lets a bad line through.
const PIECE_BYTES = 64 * 1024;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const WAITS_MS = [2000, 5000, 10000, 20000, 40000, 60000];
/** The server said no, in words; status as HTTP has it. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.code ?? String(status));
    this.status = status;
    this.problem = problem;
  }
}

/** Ask the server for something as JSON; throw Refusal where it says no, TypeError where it is away. */
export async function ask(method, path, { body, authorization } = {}) {
  const headers = {};
  if (authorization) headers.Authorization = authorization;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const content = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, content);
  return content;
}

async function ticket(record) {
  const body = { channel: record.channel, key: record.key };
  try {
    return (await ask("POST", "/uploads/tickets", { body })).token;
  } catch (error) {
    if (error.status !== 428) throw error;
    const { solve } = await import("./proof.js");
    body.proof = await solve(error.problem.challenge);
    return (await ask("POST", "/uploads/tickets", { body })).token;
  }
}

function upload(part, blob, token, progress) {
  return new Promise((resolve, reject) => {
    const sending = new tus.Upload(blob, {
      endpoint: "/uploads",
      uploadUrl: part.url ?? null,
      headers: { Authorization: `Upload ${token}` },
      metadata: { kind: part.kind, purpose: part.purpose },
      chunkSize: PIECE_BYTES,
      retryDelays: RETRY_MS,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => (part.url = sending.url),
      onProgress: (sent) => progress(sent),
      onSuccess: () => resolve(),
      onError: (error) => {
        const status = error.originalResponse?.getStatus();
        let problem = null;
        try {
          problem = JSON.parse(error.originalResponse?.getBody() ?? "null");
        } catch {}
        reject(status ? new Refusal(status, problem) : new TypeError("no network"));
      },
    });
    sending.start();
  });
}

/** Send one report or addition; give what the server answers. */
async function send(record, progress) {
  await load("tus.min.js");
  record.token = record.token ?? (await ticket(record));
  await store.put("outbox", record);
  const total = record.parts.reduce((sum, part) => sum + part.size, 0);
  let before = 0;
  for (const part of record.parts) {
    const blob = await store.blobOf(part.id, part.mime);
    if (!part.complete) {
      await upload(part, blob, record.token, (sent) => progress((before + sent) / Math.max(1, total)));
      part.complete = true;
      await store.put("outbox", record);
    }
    before += blob.size;
  }
  progress(1);
  const uploads = record.parts.map((part) => part.url.split("/").pop());
  const body = { token: record.token, key: record.key, uploads, text: record.text };
  if (record.receipt) {
    return ask("POST", "/receipt/additions", { body, authorization: `Receipt ${record.receipt}` });
  }
  const { channel, language, identity, name, contact, upward } = record;
  Object.assign(body, { channel, language, identity, name, contact, upward });
  return ask("POST", "/reports", { body });
}

const forgotten = (error) => [401, 404, 410].includes(error.status);
const refused = (error) => error instanceof Refusal && error.status >= 400 && error.status < 500;

/** Decide what follows a failure: "anew" (the server forgot the uploads), "later" or "never". */
export function after(error) {
  if (forgotten(error)) return "anew";
  if (error.status === 429 || !refused(error)) return "later";
  return [408, 409, 412, 423, 425, 428].includes(error.status) && error.problem?.code !== "idempotency_key_reused"
    ? "anew"
    : "never";
}

/** Forget what the server was told of a record, so that all of it is sent again. */
export function restart(record) {
  delete record.token;
  for (const part of record.parts) {
    delete part.url;
    delete part.complete;
  }
}

/** Where a draft lies: under its channel's code, or under the receipt of the report that it adds to. */
export const shelf = (record) => (record.receipt ? `receipt ${record.receipt}` : record.channel);

/**
 * Make what was refused a draft again, joined with what was begun since: nothing is lost, and it can be heard,
 * changed, sent once more or deleted.
 */
export async function takeBack(record, begun) {
  const mine = begun ?? (await store.get("drafts", shelf(record)));
  const back = { ...record, channel: shelf(record), key: store.draw(), parts: [...(mine?.parts ?? []), ...record.parts] };
  back.text = [mine?.text, record.text].filter(Boolean).join("\n");
  restart(back);
  await store.unpost(record, back);
  return back;
}

let running = null;
let attempts = 0;
let timer = 0;

/**
 * Send everything that waits. Listeners get onProgress(share), onWaiting(error), onRefused(record, error) and
 * onSettled(record, answer); a later call joins the one that runs.
 */
export function flush(listeners) {
  clearTimeout(timer);
  const once = () => drain(listeners);
  running = running ?? (navigator.locks ? navigator.locks.request("xiangyin-outbox", once) : once()).finally(() => (running = null));
  return running;
}

async function drain(listeners) {
  for (const record of await store.all("outbox")) {
    try {
      const answer = await send(record, (share) => listeners.onProgress?.(share, record));
      attempts = 0;
      await listeners.onSettled(record, answer);
    } catch (error) {
      const next = after(error);
      if (next === "never") {
        await listeners.onRefused(record, error);
        continue;
      }
      if (next === "anew") {
        restart(record);
        await store.put("outbox", record);
      }
      listeners.onWaiting?.(error, record);
      const wait = WAITS_MS[Math.min(attempts, WAITS_MS.length - 1)];
      attempts += 1;
      clearTimeout(timer);
      timer = setTimeout(() => flush(listeners), next === "anew" && attempts === 1 ? 0 : wait);
      return;
    }
  }
}

/** Try again whenever the network or the person comes back. */
export function watch(listeners) {
  const again = () => {
    attempts = 0;
    flush(listeners);
  };
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && again());
  again();
}
