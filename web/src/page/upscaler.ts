/** The page's side of the worker. */

import type { Device } from "../engine/network";
import type { Settings } from "../engine/weights";
import type { Job, Message, Result, Timed } from "../engine/worker";

const MOST_THREADS = 8; // more gain little, and each takes memory

/** Runs one job at a time; a job is cancelled by ending the worker, so it stops at once whatever it does. */
export class Upscaler {
  private worker: Worker | null = null;

  constructor(public device: Device = "cpu") {}

  /** Upscale a file; `progress` gets a fraction. Rejects with a sentence, or with the signal's reason. */
  upscale(file: Blob, settings: Settings, progress: (fraction: number) => void, signal: AbortSignal): Promise<Result> {
    return this.ask<Result>({ file, settings, ...this.place() }, signal, (message, done) => {
      if ("progress" in message) progress(message.progress);
      if ("result" in message) done(message.result);
    });
  }

  /** What the device takes for a small picture when it is ready, and makes of it. */
  time(settings: Settings): Promise<Timed> {
    return this.ask<Timed>({ settings, ...this.place() }, null, (message, done) => {
      if ("timed" in message) done(message.timed);
    });
  }

  /** End the worker, and free its memory. */
  end(): void {
    this.worker?.terminate();
    this.worker = null;
  }

  private place(): { device: Device; threads: number } {
    return { device: this.device, threads: threads() };
  }

  private ask<T>(
    job: Job | Omit<Job, "file">, signal: AbortSignal | null, heard: (message: Message, done: (value: T) => void) => void,
  ): Promise<T> {
    let cancel = () => {};
    const asked = new Promise<T>((resolve, reject) => {
      const worker = (this.worker ??= new Worker(new URL("../engine/worker.ts", import.meta.url), { type: "module" }));
      const fail = (reason: unknown) => {
        this.end();
        if (reason !== signal?.reason) this.device = "cpu"; // which the next picture will not fail on
        reject(reason);
      };
      cancel = () => fail(signal!.reason);
      signal?.addEventListener("abort", cancel);
      worker.onmessage = ({ data }: MessageEvent<Message>) => {
        if (!("error" in data)) heard(data, resolve);
        else if (data.isUsable) reject(new Error(data.error));
        else fail(new Error(data.error));
      };
      worker.onerror = () => fail(new Error("could not be upscaled: the browser ran out of memory or ended the work"));
      worker.postMessage(job);
    });
    return asked.finally(() => signal?.removeEventListener("abort", cancel)); // or it would end the next job
  }
}

/** One a core, as far as known: of many "cores", half are only a core's second thread. */
export function threads(): number {
  const cores = navigator.hardwareConcurrency || 1;
  return self.crossOriginIsolated ? Math.min(cores > 4 ? cores / 2 : cores, MOST_THREADS) : 1;
}
