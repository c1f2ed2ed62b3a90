/**
 * The page's time against the command's, one after the other, and the memory of all of Chromium meanwhile. On a
 * machine that others use too, compare the processor's seconds: the others' work is not in them.
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
const TICKS = 100; // a second, of the kernel's clock
const [OWN, COMMANDS] = [[11, 12], [13, 14]]; // fields of "stat" after the name: its own, and of children that have ended
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
    const before = processor(["self"], COMMANDS);
    const target = join(folder, `${round}.png`);
    if (!process.env.ALONE) execFileSync(PYTHON, ["-m", "srez", "upscale", PICTURE, "-o", target, "--model", "photo", "--repair", "0"]);
    const command = (Date.now() - started) / 1000;
    const [commands, idle] = [processor(["self"], COMMANDS) - before, processor(ours(), OWN)];
    await page.setInputFiles("#files", PICTURE);
    await page.waitForSelector(".done", { timeout: 0 });
    const seconds = Number(await page.getAttribute(".done", "data-seconds"));
    const pages = processor(ours(), OWN) - idle;
    const times = (page: number, command: number) => `command ${command.toFixed(1)}, page ${page.toFixed(1)}, ${(page / command).toFixed(2)} times`;
    console.log(`seconds: ${times(seconds, command)}; of the processor: ${times(pages, commands)}; ${peak} MB at most`);
    await page.click("#clear");
    await page.waitForSelector(".done", { state: "detached" });
  }
  clearInterval(watch);
  expect(peak).toBeGreaterThan(0);
  await context.close();
  await site.stop();
}, 3_600_000);

/** The processes of this Chromium. */
function ours(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isOurs(name));
}

/** Whether a process is the browser, whose command line names its profile, or comes from it. */
function isOurs(pid: string): boolean {
  if (pid === "0" || pid === "1" || pid === String(process.pid)) return false;
  const parent = /^PPid:\s+(\d+)/m.exec(read(pid, "status"))?.[1] ?? "0";
  return read(pid, "cmdline").includes(folder) || isOurs(parent);
}

/** Megabytes, each process with its share of what they have in common. */
function memory(): number {
  const kilobytes = ours().map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(pid, "smaps_rollup"))?.[1] ?? 0));
  return Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1024);
}

/** Seconds of the processor that processes have used, by two fields of their "stat" (man 5 proc). */
function processor(pids: string[], [user, system]: number[]): number {
  const fields = pids.map((pid) => read(pid, "stat").split(") ").at(-1)!.split(" "));
  return fields.reduce((sum, each) => sum + (Number(each[user] ?? 0) + Number(each[system] ?? 0)) / TICKS, 0);
}

/** A file of a process; empty when the process has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
