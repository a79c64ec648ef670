// What a phone keeps until the receipt has come: drafts, their bytes, what waits to be sent, and receipts not yet seen.

const NAME = "xiangyin";
const VERSION = 1;
const KEYS = { drafts: ["channel"], outbox: ["key"], receipts: ["key"], chunks: ["part", "number"] };
let opened = null;

function open() {
  opened = opened ?? new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [name, path] of Object.entries(KEYS)) {
        request.result.createObjectStore(name, { keyPath: path.length > 1 ? path : path[0] });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }).catch(() => null);
  return opened;
}

// Where a browser keeps nothing for a page, the report lives as long as the page: it can still be sent.
const shelves = Object.fromEntries(Object.keys(KEYS).map((name) => [name, new Map()]));

function shelf(name) {
  const values = shelves[name];
  const within = (one, part) => part === undefined || one.part === part;
  const ordered = (one, other) => one.number - other.number;
  return {
    get: (key) => values.get(String(key)),
    getAll: (part) => [...values.values()].filter((one) => within(one, part)).sort(ordered),
    put: (value) => void values.set(KEYS[name].map((part) => value[part]).join(), value),
    delete(key) {
      values.delete(String(key));
      if (name === "chunks") for (const [at, one] of values) if (one.part === key) values.delete(at);
    },
  };
}

async function within(stores, mode, work) {
  const database = await open();
  if (!database) return work(...[stores].flat().map(shelf));
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

// The pieces of a part: a range of keys, or the part itself where they lie on a shelf.
const range = async (part) => ((await open()) ? IDBKeyRange.bound([part, 0], [part, Infinity]) : part);
const ranges = (parts) => Promise.all(parts.map(range));

/** Join the pieces of a part. */
export async function blobOf(part, mime) {
  const pieces = await range(part).then((keys) => within("chunks", "readonly", (s) => s.getAll(keys)));
  return new Blob(pieces.map((piece) => piece.bytes), { type: mime });
}

/** Forget the bytes of parts. */
export async function forget(parts) {
  const gone = await ranges(parts);
  return within("chunks", "readwrite", (s) => gone.forEach((keys) => s.delete(keys)));
}

/** Move a draft to the outbox in one step, so that it is never in both or neither. */
export const post = (channel, record) =>
  within(["drafts", "outbox"], "readwrite", (drafts, outbox) => {
    drafts.delete(channel);
    outbox.put(record);
  });

/** Move what was refused from the outbox back to the drafts, under a new key. */
export const unpost = (record, draft) =>
  within(["drafts", "outbox"], "readwrite", (drafts, outbox) => {
    outbox.delete(record.key);
    drafts.put(draft);
  });

/** Put a receipt in place of what was sent, and forget the bytes. */
export async function settle(record, receipt) {
  const gone = await ranges(record.parts.map((part) => part.id));
  return within(["outbox", "receipts", "chunks"], "readwrite", (outbox, receipts, chunks) => {
    outbox.delete(record.key);
    if (receipt) receipts.put(receipt);
    gone.forEach((keys) => chunks.delete(keys));
  });
}

/** Draw 128 random bits as 32 hexadecimal digits. */
export function draw() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
