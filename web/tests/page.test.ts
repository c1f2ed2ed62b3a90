/** The built page in a real browser, against what the command makes of the same pictures. */

import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { decode } from "fast-png";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { serve, type Site } from "./site";

const ROOT = resolve(import.meta.dirname, "../..");
const PYTHON = process.env.PYTHON ?? join(ROOT, ".venv/bin/python");
const ENVIRONMENT = { ...process.env, PYTHONPATH: [join(ROOT, "src"), join(ROOT, "tests")].join(delimiter) };
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const MOST_BYTES = 6_000_000; // of a first visit
const LONGEST = 240_000; // milliseconds for a few pictures, on a machine that is busy

const folder = mkdtempSync(join(tmpdir(), "srez-web-test-"));
const complaints: string[] = [];
let site: Site;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  const python = (...words: string[]) => execFileSync(PYTHON, words, { env: ENVIRONMENT, stdio: ["ignore", "ignore", "inherit"] });
  python("-m", "srez", "web", "build", join(folder, "site"));
  python("-m", "helpers.browser_pictures", join(folder, "pictures"));
  site = await serve(join(folder, "site"));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  await open();
}, LONGEST);

afterAll(async () => {
  await browser?.close();
  await site?.stop();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  await page.evaluate(() => document.getElementById("clear")!.click());
  expect(complaints.splice(0)).toEqual([]);
});

/** Open the page, and watch it: it is the same for all tests, as it is for a user. */
async function open(): Promise<void> {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  page = await context.newPage();
  page.setDefaultTimeout(LONGEST);
  // Of all in the browser: workers and the service worker too.
  context.on("request", (request) => {
    if (!request.url().startsWith(site.url) && !request.url().startsWith("blob:")) complaints.push(`asked for ${request.url()}`);
  });
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(site.url);
  await page.waitForSelector("body[data-ready]");
}

const version = () => execFileSync(PYTHON, ["-c", "import srez; print(srez.__version__, end='')"], { env: ENVIRONMENT }).toString();

const named = (name: string) => page.locator("#list li", { has: page.getByText(name, { exact: true }) });

/** Upscale files of a folder in the page, and wait for their results. */
async function upscale(kind: string, ...names: string[]): Promise<void> {
  await page.setInputFiles("#files", names.map((name) => join(folder, "pictures", kind, name)));
  for (const name of names) await named(name).and(page.locator(".done, .failed")).waitFor();
}

async function saved(name: string): Promise<Uint8Array> {
  const [download] = await Promise.all([page.waitForEvent("download"), named(name).locator(".save").click()]);
  expect(download.suggestedFilename()).toBe(`${name.replace(/\.\w+$/, "")}_x4.png`);
  return readFileSync(await download.path());
}

/** All results, as a folder. Chromium lets a page start some ten downloads in a row, so it is one zip. */
async function unzipped(): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#zip")]);
  const results = mkdtempSync(join(folder, "zip-"));
  execFileSync(PYTHON, ["-m", "zipfile", "-e", await download.path(), results]);
  return results;
}

/** How far two PNGs of the same form are apart at most, in grey levels of 8 bits. */
function apart(one: Uint8Array, other: Uint8Array): number {
  const [a, b] = [decode(one), decode(other)];
  const form = ({ width, height, channels, depth }: typeof a) => [width, height, channels, depth];
  expect(form(a)).toEqual(form(b));
  let most = 0;
  for (let index = 0; index < a.data.length; index++) most = Math.max(most, Math.abs(a.data[index] - b.data[index]));
  return most / (a.depth === 16 ? 257 : 1);
}

const ofCommand = (kind: string, name: string) =>
  readFileSync(join(folder, "pictures", "results", kind, name.replace(/\.\w+$/, ".png")));

test("results are within a grey level of the command's", async () => {
  const names = readdirSync(join(folder, "pictures/in"));
  expect(await page.evaluate("crossOriginIsolated")).toBe(true);
  await upscale("in", ...names);
  const results = await unzipped();
  const result = (name: string) => readFileSync(join(results, name.replace(/\.\w+$/, "_x4.png")));
  const distances = Object.fromEntries(names.map((name) => [name, apart(result(name), ofCommand("in", name))]));
  console.log(distances);
  expect(Object.entries(distances).filter(([, distance]) => distance > 1)).toEqual([]);
  expect(names.length).toBeGreaterThan(10);
}, LONGEST);

test("colour profiles are kept", async () => {
  await upscale("in", "turned.jpg", "photo.webp");
  for (const name of ["turned.jpg", "photo.webp"]) {
    expect(decode(await saved(name)).iccEmbeddedProfile?.profile.length).toBeGreaterThan(100);
  }
}, LONGEST);

test("a first visit loads less than 6 MB, and no large file twice", async () => {
  const fresh = await serve(join(folder, "site"));
  const visitor = await browser.newContext();
  const tab = await visitor.newPage();
  await tab.goto(fresh.url);
  await tab.waitForSelector("body[data-ready]");
  await tab.setInputFiles("#files", join(folder, "pictures/in/tiny.png"));
  await tab.waitForSelector(".done");
  const bytes = fresh.sent.reduce((sum, file) => sum + file.bytes, 0);
  const large = fresh.sent.filter((file) => file.bytes > 100_000).map((file) => file.path);
  console.log(`a first visit loads ${bytes} bytes`);
  expect(bytes).toBeLessThan(MOST_BYTES);
  expect(new Set(large).size).toBe(large.length);
  await visitor.close();
  await fresh.stop();
}, LONGEST);

test("works offline after the first visit", async () => {
  await context.setOffline(true);
  await page.reload();
  await page.waitForSelector("body[data-ready]");
  await upscale("in", "tiny.png");
  expect(apart(await saved("tiny.png"), ofCommand("in", "tiny.png"))).toBeLessThanOrEqual(1);
  await page.fill("#look", "0");
  await upscale("settings", "photo.png");
  expect(await named("photo.png").locator(".state").textContent()).toContain("go online once");
  complaints.length = 0; // that file cannot be loaded
  await page.fill("#look", "1");
  await context.setOffline(false);
}, LONGEST);

// Of both at once the command's results have calmer even areas.
test.each([
  ["vivid", "0.25", "0"],
  ["repaired", "1", "0.5"],
])("a %s result is the command's", async (kind, look, repair) => {
  await page.fill("#look", look);
  await page.fill("#repair", repair);
  await upscale("settings", "photo.png");
  const distance = apart(await saved("photo.png"), ofCommand(kind, "photo.png"));
  await page.fill("#look", "1");
  await page.fill("#repair", "0");
  expect(distance).toBeLessThanOrEqual(1);
}, LONGEST);

test("a damaged file gets a sentence, and does not stop the others", async () => {
  const names = readdirSync(join(folder, "pictures/bad"));
  await page.setInputFiles("#files", [...names.map((name) => join(folder, "pictures/bad", name)), join(folder, "pictures/in/odd.png")]);
  await named("odd.png").and(page.locator(".done")).waitFor();
  const said: Record<string, string | null> = {};
  for (const name of names) said[name] = await named(name).and(page.locator(".failed")).locator(".state").textContent();
  expect(said).toEqual({
    "animated.gif": expect.stringContaining("is animated"),
    "animated.png": expect.stringContaining("is animated"),
    "cut.jpg": expect.stringContaining("is damaged"),
    "cut.png": expect.stringContaining("is damaged"),
    "empty.jpg": expect.stringContaining("is empty"),
    "text.png": expect.stringContaining("is not a"),
  });
}, LONGEST);

test("cancelling takes less than a second, ends the work, and lets the next picture in", async () => {
  await page.setInputFiles("#files", [join(folder, "pictures/long/large.png"), join(folder, "pictures/in/tiny.png")]);
  const row = named("large.png");
  await row.getByText("upscaling").waitFor();
  await page.waitForTimeout(2000); // so that the network runs
  const ended = page.workers().map((worker) => new Promise((resolve) => worker.once("close", resolve)));
  expect(ended.length).toBeGreaterThan(0);
  const milliseconds = await page.evaluate(async () => {
    const row = document.querySelector("#list li")!;
    const started = performance.now();
    row.querySelector<HTMLButtonElement>(".remove")!.click();
    await new Promise(requestAnimationFrame);
    return row.isConnected ? Infinity : performance.now() - started;
  });
  expect(milliseconds).toBeLessThan(1000);
  await Promise.all(ended); // the browser lets a thread that computes go on for up to two seconds
  await named("tiny.png").and(page.locator(".done")).waitFor();
}, LONGEST);

test("removing a picture that is done does not end the work on another", async () => {
  await upscale("settings", "photo.png");
  await page.setInputFiles("#files", join(folder, "pictures/in/wide.png"));
  await named("wide.png").getByText("upscaling").waitFor();
  await named("photo.png").locator(".remove").click();
  await named("wide.png").and(page.locator(".done")).waitFor({ timeout: LONGEST / 2 });
}, LONGEST);

test("a folder's results come as a zip with its names", async () => {
  await page.setInputFiles("#folder", join(folder, "pictures/settings"));
  await named("settings/photo.png").and(page.locator(".done")).waitFor();
  await upscale("in", "tiny.png");
  const results = await unzipped();
  expect(existsSync(join(results, "settings/photo_x4.png"))).toBe(true);
  expect(existsSync(join(results, "tiny_x4.png"))).toBe(true);
}, LONGEST);

test("pictures can be dropped and pasted", async () => {
  const bytes = [...readFileSync(join(folder, "pictures/in/tiny.png"))];
  await page.evaluate((data) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(data)], "pasted.png", { type: "image/png" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
    const other = new DataTransfer();
    other.items.add(new File([Uint8Array.from(data)], "dropped.png", { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: other, bubbles: true, cancelable: true }));
  }, bytes);
  for (const name of ["pasted.png", "dropped.png"]) await named(name).and(page.locator(".done")).waitFor();
}, LONGEST);

test("a list that is cleared while a picture is opened shows none", async () => {
  await upscale("settings", "photo.png");
  await page.evaluate(() => {
    document.querySelector<HTMLElement>("#list .show")!.click();
    document.getElementById("clear")!.click();
  });
  await page.waitForTimeout(300); // in which it would have been opened
  expect(await page.isHidden("#viewer")).toBe(true);
}, LONGEST);

test("the viewer zooms, pans and moves its line by keys and by pointer", async () => {
  await upscale("settings", "photo.png");
  const zoom = async () => parseInt((await page.textContent("#zoom"))!);
  const clip = () => page.locator("#over").evaluate((over) => getComputedStyle(over).clipPath);
  const place = () => page.locator("#after").evaluate((image) => (image as HTMLElement).style.transform);
  const [before, middle] = [await zoom(), await clip()];
  await page.click("#in");
  expect(await zoom()).toBeGreaterThan(before);
  await page.locator("#slider").press("ArrowRight");
  expect(await clip()).not.toBe(middle);
  const stage = (await page.locator("#stage").boundingBox())!;
  const still = await place();
  await page.mouse.move(stage.x + 100, stage.y + 100);
  await page.mouse.down();
  await page.mouse.move(stage.x + 150, stage.y + 120);
  await page.mouse.up();
  expect(await place()).not.toBe(still);
  await page.mouse.wheel(0, -200);
  expect(await zoom()).toBeGreaterThan(before);
  await page.click("#fit");
  expect(await zoom()).toBe(before);
}, LONGEST);

test.each(["light", "dark"] as const)("is accessible and fits, %s", async (scheme) => {
  await page.emulateMedia({ colorScheme: scheme });
  await upscale("settings", "photo.png");
  await page.setInputFiles("#files", join(folder, "pictures/bad/text.png"));
  await page.locator(".failed").waitFor();
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.evaluate(axe); // of the developer's, whom the policy does not bind
    const { violations } = await page.evaluate<{ violations: { id: string; impact: string }[] }>("axe.run()");
    expect(violations.map(({ id, impact }) => `${impact}: ${id}`)).toEqual([]);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${scheme}-${width}.png`, fullPage: true });
  }
}, LONGEST);

/** In the page: a graphics card that is there, and a worker that answers for it; `kind` is how. No test has a real one. */
function standInForGpu(kind: string): void {
  const requestAdapter = () => {
    if (kind === "throws") throw new Error("no such thing");
    return Promise.resolve(kind === "absent" ? null : {});
  };
  Object.defineProperty(navigator, "gpu", { value: { requestAdapter } });
  const Real = Worker;
  window.Worker = function (...words: ConstructorParameters<typeof Worker>) {
    const real = new Real(...words);
    const post = real.postMessage.bind(real);
    real.postMessage = (job: { device: string; file?: Blob }) => {
      if (job.device !== "gpu") return post(job);
      const answer = real.onmessage!.bind(real);
      const say = (data: object) => void setTimeout(() => answer(new MessageEvent("message", { data })));
      if (kind === "fails" || job.file) return say({ error: "the device is lost", isUsable: false });
      if (kind === "wrong") return say({ timed: { seconds: 0, output: new Float32Array(3 * 512 * 512) } });
      real.onmessage = ({ data }) => say({ timed: { ...data.timed, seconds: 0 } });
      post({ ...job, device: "cpu" });
    };
    return real;
  } as unknown as typeof Worker;
}

test.each([
  ["absent", null],
  ["throws", null],
  ["fails", "does not run the model"],
  ["wrong", "computes something else"],
  ["fast", "The graphics card is used: 0 ms"],
])("a graphics card that %s", async (kind, said) => {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(LONGEST);
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await tab.addInitScript(standInForGpu, kind);
  await tab.goto(site.url);
  await tab.waitForSelector("body[data-ready]");
  const offer = tab.getByRole("button", { name: "Try the graphics card" });
  if (said) {
    await offer.click();
    await tab.locator("#device", { hasText: "is used" }).waitFor();
    expect(await tab.textContent("#device")).toContain(said);
  } else expect(await offer.count()).toBe(0);
  const picture = join(folder, "pictures/in/tiny.png");
  if (kind === "fast") {
    await tab.setInputFiles("#files", picture); // which it loses
    await tab.locator(".failed", { hasText: "the device is lost" }).waitFor();
  }
  await tab.setInputFiles("#files", picture);
  await tab.waitForSelector(".done");
  expect(errors).toEqual([]);
  await tab.close();
}, LONGEST);

test("srez serve --page browser serves it, with threads at the first visit", async () => {
  const state = join(folder, "state");
  cpSync(join(folder, "site"), join(state, `browser-${version()}`), { recursive: true });
  const words = ["-m", "srez", "serve", "--page", "browser", "--port", "0", "--state", state];
  const server = spawn(PYTHON, words, { env: ENVIRONMENT, stdio: ["ignore", "ignore", "pipe"] });
  try {
    const port = await new Promise<number>((resolve) => {
      server.stderr.on("data", (lines: Buffer) => {
        const port = /"listening".*"port": (\d+)/.exec(lines.toString())?.[1];
        if (port) resolve(Number(port));
      });
    });
    const tab = await browser.newPage();
    let visits = 0;
    tab.on("framenavigated", () => visits++);
    await tab.goto(`http://127.0.0.1:${port}/`);
    await tab.waitForSelector("body[data-ready]", { timeout: LONGEST });
    expect([await tab.evaluate("crossOriginIsolated"), visits]).toEqual([true, 1]);
    await tab.setInputFiles("#files", join(folder, "pictures/in/tiny.png"));
    await tab.waitForSelector(".done", { timeout: LONGEST });
    await tab.close();
  } finally {
    server.kill();
  }
}, LONGEST);

test("nothing may connect elsewhere, from the page or the worker", async () => {
  const blocked = await page.evaluate(() => fetch("https://example.org/").then(() => "sent", () => "blocked"));
  expect(blocked).toBe("blocked");
  for (const { path } of site.sent) expect(path).not.toContain("example");
  const { headers } = (await page.evaluate(async () => {
    const answer = await fetch(document.querySelector<HTMLScriptElement>("script[type=module]")!.src);
    return { headers: Object.fromEntries(answer.headers) };
  })) as { headers: Record<string, string> };
  expect(headers["content-security-policy"]).toContain("connect-src 'self'");
  complaints.length = 0; // the browser's, about the connection that was tried
}, LONGEST);
