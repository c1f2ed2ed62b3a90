/** The worker that upscales: a file comes in, progress and then a PNG go out. Ending it is how to cancel. */

import model from "../../packed/model.json";
import { read } from "../files/read";
import { PngWriter } from "../files/write";
import { type Picture, PictureError, type Pixels } from "../picture";
import { type Device, load, type Loaded } from "./network";
import { type Network, upscaled } from "./tiles";
import type { Settings } from "./weights";

export interface Job {
  file: Blob;
  settings: Settings;
  device: Device;
  threads: number;
}

export interface Result {
  file: Blob;
  width: number;
  height: number;
  /** What the slider shows: all, or of a large picture a part of the middle, before and after. */
  shown: { before: Blob; after: Blob; isPart: boolean };
}

/** With an error, whether the worker can go on. */
export type Message = { progress: number } | { result: Result } | { error: string; isUsable: boolean } | { timed: Timed };

/** What a device took for a small picture, and made of it. */
export interface Timed {
  seconds: number;
  output: Float32Array;
}

const SHOWN = 1024; // input pixels a side of the part that is shown of large pictures
const TIMED = 128; // pixels a side of what is run to time a device

const UNFORESEEN = "could not be upscaled: the browser has too little memory, or cannot run the model";

let loaded: (Loaded & { key: string }) | null = null;

let last = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<Job | Omit<Job, "file">>) => {
  last = last.then(() => answer(data)); // one after another, whatever the page asks for
};

async function answer(job: Job | Omit<Job, "file">): Promise<void> {
  const say = (message: Message) => self.postMessage(message);
  try {
    const network = await networkFor(job);
    if ("file" in job) say({ result: await upscale(job.file, network, (progress) => say({ progress })) });
    else say({ timed: await time(network) });
  } catch (error) {
    if (error instanceof PictureError) return say({ error: error.message, isUsable: true });
    console.error(error);
    say({ error: UNFORESEEN, isUsable: false });
  }
}

/** The network for a job: the same as before, or another instead of it. */
async function networkFor({ settings, device, threads }: Omit<Job, "file">): Promise<Network> {
  const key = JSON.stringify([settings, device, threads]);
  if (loaded?.key !== key) {
    await loaded?.release();
    loaded = null;
    loaded = { key, ...(await load(settings, device, threads)) };
  }
  return loaded.run;
}

async function upscale(file: Blob, network: Network, progress: (fraction: number) => void): Promise<Result> {
  const picture = await read(file);
  const { scale } = model;
  const part = middle(picture);
  const writer = writerFor(picture, picture.width * scale, picture.height * scale);
  const shown = part && writerFor(picture, part.width * scale, part.height * scale);
  let top = 0;
  for await (const band of upscaled(picture, model, network, progress)) {
    await writer.write(band);
    if (part && shown) await shown.write(cropped(band, top, picture, part, scale));
    top += band.length / (picture.width * scale * picture.channels);
  }
  const whole = await writer.finish();
  const after = shown ? await shown.finish() : whole;
  const before = part ? await unscaled(picture, part) : file;
  return {
    file: whole,
    width: picture.width * scale,
    height: picture.height * scale,
    shown: { before, after, isPart: part !== null },
  };
}

interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The part of the middle of a picture that is too large to be shown whole. */
function middle({ width, height }: Picture): Part | null {
  if (width * height <= SHOWN * SHOWN) return null;
  const [wide, tall] = [Math.min(width, SHOWN), Math.min(height, SHOWN)];
  return { left: (width - wide) >> 1, top: (height - tall) >> 1, width: wide, height: tall };
}

async function unscaled(picture: Picture, part: Part): Promise<Blob> {
  const writer = writerFor(picture, part.width, part.height);
  await writer.write(cropped(picture.pixels, 0, picture, part, 1));
  return writer.finish();
}

/** What rows of a picture `scale` times as large, from row `top` on, have of a part. */
function cropped(rows: Pixels, top: number, picture: Picture, part: Part, scale: number): Pixels {
  const row = picture.width * scale * picture.channels;
  const first = Math.max(part.top * scale - top, 0);
  const last = Math.min((part.top + part.height) * scale - top, rows.length / row);
  const [left, count] = [part.left * scale * picture.channels, part.width * scale * picture.channels];
  const result = rows.slice(0, Math.max(last - first, 0) * count);
  for (let y = first; y < last; y++) result.set(rows.subarray(y * row + left, y * row + left + count), (y - first) * count);
  return result;
}

function writerFor({ channels, pixels, colours }: Picture, width: number, height: number): PngWriter {
  return new PngWriter({ width, height, channels, deep: pixels instanceof Uint16Array, colours });
}

/** The second run is timed: the first one prepares. */
async function time(network: Network): Promise<Timed> {
  const image = Float32Array.from({ length: TIMED * TIMED * 3 }, (_, index) => (index % 7) / 7);
  await network(image, TIMED, TIMED);
  const started = performance.now();
  const output = await network(image, TIMED, TIMED);
  return { seconds: (performance.now() - started) / 1000, output: output.slice() };
}
