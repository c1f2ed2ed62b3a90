/**
 * The service worker: keeps the page for use offline, lets nothing leave its origin, and sets the headers that
 * threads need where the server cannot.
 */

declare const __FILES__: string[];
declare const __VERSION__: string;

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `srez ${__VERSION__}`;
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(__FILES__)));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(removeEarlier().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  event.respondWith(answer(event.request));
});

async function removeEarlier(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("srez ") && name !== CACHE).map((name) => caches.delete(name)));
}

async function answer(request: Request): Promise<Response> {
  if (!request.url.startsWith(worker.registration.scope)) return Response.error();
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return guarded(kept);
  const response = await fetch(request);
  if (response.ok && request.url.includes("/assets/")) await cache.put(request, response.clone());
  return guarded(response);
}

function guarded(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set("Content-Security-Policy", POLICY);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
