// Makes the page open with no network after the first visit. Filled in by the server: a new version, a new cache.
const CACHE = "xiangyin-{{ version }}";
const FILES = {{ files }};
const PROMPTS = "xiangyin-prompts";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => ![CACHE, PROMPTS].includes(name)).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

const kept = (request) => caches.match(request, { ignoreVary: true });

async function fresh(request, cacheName) {
  const answer = await fetch(request);
  if (answer.ok) {
    const copy = answer.clone();
    caches.open(cacheName).then((cache) => cache.put(request.url, copy)).catch(() => {});
  }
  return answer;
}

// A page is asked for anew and taken from the cache when the network is away; files never change.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("{{ static }}/")) {
    event.respondWith(kept(request.url).then((found) => found ?? fresh(request, CACHE)));
  } else if (pathname.startsWith("/prompts/")) {
    event.respondWith(prompt(request));
  } else if (request.mode === "navigate" && (pathname === "/" || pathname === "/receipt" || /^\/c\/[^/]+$/.test(pathname))) {
    event.respondWith(fresh(request, CACHE).catch(() => kept(request.url).then((found) => found ?? Response.error())));
  }
});

// Players ask for ranges, which a cache cannot hold: the whole small file is fetched, and the range cut from it.
async function prompt(request) {
  const whole = await fresh(new Request(request.url), PROMPTS).catch(() => kept(request.url));
  if (!whole) return Response.error();
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (!asked || whole.status !== 200) return whole;
  const bytes = await whole.arrayBuffer();
  const start = Number(asked[1]);
  const end = asked[2] ? Math.min(Number(asked[2]), bytes.byteLength - 1) : bytes.byteLength - 1;
  const headers = { "Content-Type": whole.headers.get("Content-Type"), "Content-Range": `bytes ${start}-${end}/${bytes.byteLength}` };
  return new Response(bytes.slice(start, end + 1), { status: 206, headers });
}
