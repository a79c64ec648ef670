// What a phone keeps until the receipt has come: drafts, their bytes, what waits to be sent, and receipts not yet seen.

const NAME = "xiangyin";
const VERSION = 1;
let opened = null;

function open() {
  opened = opened ?? new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore("drafts", { keyPath: "channel" });
      database.createObjectStore("outbox", { keyPath: "key" });
      database.createObjectStore("receipts", { keyPath: "key" });
      database.createObjectStore("chunks", { keyPath: ["part", "number"] });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function within(stores, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, mode);
    let answer;
    transaction.oncomplete = () => resolve(answer instanceof IDBRequest ? answer.result : answer);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    answer = work(...[stores].flat().map((name) => transaction.objectStore(name)));
  });
}

export const get = (store, key) => within(store, "readonly", (s) => s.get(key));
export const all = (store) => within(store, "readonly", (s) => s.getAll());
export const put = (store, value) => within(store, "readwrite", (s) => void s.put(value));
export const remove = (store, key) => within(store, "readwrite", (s) => void s.delete(key));

/** Keep one more piece of a part. */
export const keep = (part, number, bytes) => put("chunks", { part, number, bytes });

const range = (part) => IDBKeyRange.bound([part, 0], [part, Infinity]);

/** Join the pieces of a part. */
export async function blobOf(part, mime) {
  const pieces = await within("chunks", "readonly", (s) => s.getAll(range(part)));
  return new Blob(pieces.map((piece) => piece.bytes), { type: mime });
}

/** Forget the bytes of parts. */
export const forget = (parts) =>
  within("chunks", "readwrite", (s) => parts.forEach((part) => s.delete(range(part))));

/** Move a draft to the outbox in one step, so that it is never in both or neither. */
export const post = (channel, record) =>
  within(["drafts", "outbox"], "readwrite", (drafts, outbox) => {
    drafts.delete(channel);
    outbox.put(record);
  });

/** Put a receipt in place of what was sent, and forget the bytes. */
export const settle = (record, receipt) =>
  within(["outbox", "receipts", "chunks"], "readwrite", (outbox, receipts, chunks) => {
    outbox.delete(record.key);
    if (receipt) receipts.put(receipt);
    record.parts.forEach((part) => chunks.delete(range(part.id)));
  });

/** Draw 128 random bits as 32 hexadecimal digits. */
export function draw() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
