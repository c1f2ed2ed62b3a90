/**
 * Wait until the service worker is in charge: it keeps the page for use offline, and lets it use threads where
 * the server's headers do not. The page is then loaded once more.
 */
export async function isolated(): Promise<void> {
  if (!("serviceWorker" in navigator)) return; // as on a plain http: site: one thread, and not offline
  try {
    await navigator.serviceWorker.register("./sw.js");
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
    }
  } catch (error) {
    console.warn("without a service worker, so not offline and with one thread:", error);
    return;
  }
  if (!self.crossOriginIsolated && !sessionStorage.getItem("reloaded")) {
    sessionStorage.setItem("reloaded", "yes"); // a browser that does not isolate is not asked for ever
    location.reload();
    await new Promise(() => {});
  }
}
