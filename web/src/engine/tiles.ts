/** Cut a picture into tiles of one shape, upscale them, and give the result by rows of tiles. */

import { likewise, most, type Picture, type Pixels } from "../picture";
import * as clipping from "./clipping";
import * as exact from "./exact";
import * as hidden from "./hidden";
import { flat } from "./masks";

/** What of a model's card an upscaler needs; see `srez/models/card.py`. */
export interface Card {
  name: string;
  scale: number;
  minimum_size: number;
  receptive_radius: number;
}

/** Runs the graph on `(H, W, 3)` in [0, 1], and gives `(scale H, scale W, 3)`. */
export type Network = (image: Float32Array, height: number, width: number) => Promise<Float32Array>;

const LARGEST = 512; // input pixels, of a tile's side with its margin

/** Upscale a picture, and yield `(h, scale W, channels)` from top to bottom; `progress` gets a fraction. */
export async function* upscaled(
  picture: Picture, card: Card, network: Network, progress: (fraction: number) => void,
): AsyncGenerator<Pixels> {
  const { width, height, channels, pixels } = picture;
  const radius = card.receptive_radius + clipping.REACH;
  const overlap = channels % 2 ? radius : radius + hidden.REACH; // colours under alpha come from farther
  const columns = cut(width, overlap);
  const run = (tile: Float32Array, h: number, w: number) => coloured(tile, h, w, card, network);
  for (const row of cut(height, overlap)) {
    const band = likewise(pixels, (row.to - row.from) * card.scale * width * card.scale * channels);
    for (const column of columns) {
      const tile = await larger(picture, row, column, card.scale, run);
      place(tile, band, row, column, picture, card.scale);
      progress((row.from * width + column.to * (row.to - row.from)) / (width * height));
    }
    yield band;
  }
}

/** A piece of a row or a column: what is run, and what of it is kept, in input pixels. */
interface Piece {
  start: number;
  side: number;
  from: number;
  to: number;
}

/** Pieces of equal sides; those at the border lie inside, so that the network sees where the picture ends. */
function cut(length: number, overlap: number): Piece[] {
  const count = length <= LARGEST ? 1 : Math.ceil((length - 2 * overlap) / (LARGEST - 2 * overlap));
  const step = Math.ceil((length - 2 * overlap) / count);
  const side = count === 1 ? length : step + 2 * overlap;
  return Array.from({ length: count }, (_, index) => ({
    start: Math.min(index * step, length - side),
    side,
    from: index ? index * step + overlap : 0,
    to: index === count - 1 ? length : (index + 1) * step + overlap,
  }));
}

type Run = (image: Float32Array, height: number, width: number) => Promise<Float32Array>;

/** A tile, `(scale h, scale w, channels)` in [0, 1]. Gray and alpha go through the network as gray. */
async function larger(picture: Picture, row: Piece, column: Piece, scale: number, run: Run): Promise<Float32Array> {
  const hasAlpha = picture.channels % 2 === 0;
  const colours = planes(picture, row, column, picture.channels < 3 ? [0, 0, 0] : [0, 1, 2]);
  const alpha = hasAlpha ? planes(picture, row, column, [picture.channels - 1]) : null;
  if (alpha) hidden.fill(colours, alpha, row.side, column.side);
  const output = await run(colours, row.side, column.side);
  const outputAlpha = alpha && (await run(tripled(alpha), row.side, column.side));
  if (picture.channels === 3) return output;
  const shown = picture.channels < 3 ? 1 : 3;
  const result = new Float32Array(row.side * column.side * scale * scale * picture.channels);
  for (let from = 0, to = 0; from < output.length; from += 3, to += picture.channels) {
    for (let channel = 0; channel < shown; channel++) result[to + channel] = output[from + channel];
    if (outputAlpha) result[to + shown] = outputAlpha[from];
  }
  return result;
}

/** Some channels of a piece of a picture, in [0, 1]. */
function planes(picture: Picture, row: Piece, column: Piece, chosen: number[]): Float32Array {
  const white = most(picture.pixels);
  const values = new Float32Array(row.side * column.side * chosen.length);
  let index = 0;
  for (let y = row.start; y < row.start + row.side; y++) {
    for (let x = column.start; x < column.start + column.side; x++) {
      const at = (y * picture.width + x) * picture.channels;
      for (const channel of chosen) values[index++] = picture.pixels[at + channel] / white;
    }
  }
  return values;
}

function tripled(plane: Float32Array): Float32Array {
  const image = new Float32Array(3 * plane.length);
  plane.forEach((value, index) => image.fill(value, 3 * index, 3 * index + 3));
  return image;
}

/** Colours through the network, and what needs no guess made exact. */
async function coloured(
  image: Float32Array, height: number, width: number, card: Card, network: Network,
): Promise<Float32Array> {
  const { scale, receptive_radius: radius } = card;
  const single = flat(image, height, width, radius);
  if (!single.includes(0)) return exact.nearest(image, height, width, scale);
  const output = await padded(image, height, width, card, network);
  clipping.clip(output, height, width, scale);
  exact.make(output, image, height, width, single, scale, radius);
  return output;
}

/** The network on a picture of any size: what is too small goes on at the right and the bottom. */
async function padded(
  image: Float32Array, height: number, width: number, card: Card, network: Network,
): Promise<Float32Array> {
  const [tall, wide] = [Math.max(height, card.minimum_size), Math.max(width, card.minimum_size)];
  if (tall === height && wide === width) return network(image, height, width);
  const enough = new Float32Array(tall * wide * 3);
  for (let y = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++) {
      const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * 3;
      enough.set(image.subarray(from, from + 3), (y * wide + x) * 3);
    }
  }
  const output = await network(enough, tall, wide);
  const [rows, row, whole] = [height * card.scale, width * card.scale * 3, wide * card.scale * 3];
  const inside = new Float32Array(rows * row);
  for (let y = 0; y < rows; y++) inside.set(output.subarray(y * whole, y * whole + row), y * row);
  return inside;
}

/** Put what is kept of a tile into its band, rounded and never truncated. */
function place(tile: Float32Array, band: Pixels, row: Piece, column: Piece, picture: Picture, scale: number): void {
  const white = most(band);
  const { channels } = picture;
  const count = (column.to - column.from) * scale * channels;
  for (let y = 0; y < (row.to - row.from) * scale; y++) {
    const line = y + (row.from - row.start) * scale;
    const from = (line * column.side + column.from - column.start) * scale * channels;
    const to = (y * picture.width + column.from) * scale * channels;
    for (let index = 0; index < count; index++) band[to + index] = tile[from + index] * white + 0.5; // whose fraction is cut off
  }
}
