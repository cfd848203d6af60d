// The service worker of the site. The server puts VERSION and SHELL before this text: a digest of the kept files, and
// their addresses, the offline page first.
//
// It keeps only the offline page and its files, which are the same for everybody: no photos, no answers, no page of a
// person. The network always comes first, so nobody sees an old page after an upgrade; the kept files are used only when
// there is no connection.

const PREFIX = "iqs-shell-";
const KEPT = `${PREFIX}${VERSION}`;
const [OFFLINE] = SHELL;

async function keepShell() {
  const cache = await caches.open(KEPT);
  // Without cookies, so that the offline page is that of nobody.
  await cache.addAll(SHELL.map((url) => new Request(url, { cache: "reload", credentials: "omit" })));
  await self.skipWaiting();
}

async function deleteOlder() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== KEPT).map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

async function open(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

async function fetchFile(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request, { ignoreSearch: true })) ?? Response.error();
  }
}

addEventListener("install", (event) => event.waitUntil(keepShell()));
addEventListener("activate", (event) => event.waitUntil(deleteOlder()));
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(open(event));
  else if (SHELL.includes(pathname)) event.respondWith(fetchFile(request));
});
