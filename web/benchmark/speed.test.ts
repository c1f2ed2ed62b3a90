/**
 * The page's time against the command's, one after the other, and the memory of all of Chromium meanwhile:
 *
 *   srez web build site/ && SITE=../site PICTURE=photo.png npm run benchmark
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { serve } from "../tests/site";

const { PICTURE = "", SITE = "", ROUNDS = "3", PYTHON = resolve("../.venv/bin/python") } = process.env;
const folder = mkdtempSync(join(tmpdir(), "srez-speed-"));

test("speed", async () => {
  const site = await serve(resolve(SITE));
  const context = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  const [page] = context.pages();
  await page.goto(site.url);
  await page.waitForSelector("body[data-ready]");
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, memory())), 1000);
  for (let round = 0; round < Number(ROUNDS); round++) {
    const started = Date.now();
    const target = join(folder, `${round}.png`);
    if (!process.env.ALONE) execFileSync(PYTHON, ["-m", "srez", "upscale", PICTURE, "-o", target, "--model", "photo", "--repair", "0"]);
    const command = (Date.now() - started) / 1000;
    await page.setInputFiles("#files", PICTURE);
    await page.waitForSelector(".done", { timeout: 0 });
    const seconds = Number(await page.getAttribute(".done", "data-seconds"));
    console.log(`command ${command.toFixed(1)} s, page ${seconds} s, ${(seconds / command).toFixed(2)} times; ${await page.textContent(".done .state")}; ${peak} MB at most`);
    await page.click("#clear");
  }
  clearInterval(watch);
  expect(peak).toBeGreaterThan(0);
  await context.close();
  await site.stop();
}, 3_600_000);

/** Megabytes of all processes of this Chromium, each its share of what they have in common. */
function memory(): number {
  let kilobytes = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder) && !isChildOfOurs(pid)) continue;
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // it has ended
    }
  }
  return Math.round(kilobytes / 1024);
}

/** Whether a process comes from the browser, whose command line names its profile. */
function isChildOfOurs(pid: string): boolean {
  const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1];
  if (parent === "0" || parent === "1" || parent === String(process.pid)) return false;
  return readFileSync(`/proc/${parent}/cmdline`, "utf8").includes(folder) || isChildOfOurs(parent);
}
