/**
 * Bringing values into [0, 1] without making a picture darker or lighter; as `srez/upscaling/clipping.py`.
 *
 * What is cut off is given back to pixels that have room for it, of the same input pixel ("block") if it can
 * be, and then of those around.
 */

export const REACH = 4; // input pixels, of all rounds
const LEAST = 0.5 / 255; // of a mean over a block, which nobody sees
const LEAST_ROOM = 0.05; // of the pixels around, so that few do not take all
const ROUNDS_WITHIN = 3;
const ROUNDS_AROUND = 2;

/** Clip `(scale H, scale W, 3)` in place. */
export function clip(output: Float32Array, height: number, width: number, scale: number): void {
  let lost = clipped(output, height, width, scale);
  for (let round = 0; round < ROUNDS_WITHIN + ROUNDS_AROUND; round++) {
    const within = round < ROUNDS_WITHIN;
    if (!within) lost = around(lost, height, width);
    const takers = taking(lost);
    if (!takers.length) return;
    lost = give(output, lost, takers, within, height, width, scale);
  }
}

/** One round; returns what is still lost, `(H, W, 3)`. */
function give(
  output: Float32Array, lost: Float32Array, takers: number[], within: boolean,
  height: number, width: number, scale: number,
): Float32Array {
  const room = new Float32Array(lost.length);
  const visited = new Uint8Array(height * width);
  for (const taker of takers) {
    for (const block of within ? [taker] : neighbours(taker, height, width)) {
      if (visited[block]) continue;
      visited[block] = 1;
      for (let channel = 0; channel < 3; channel++) {
        const at = 3 * block + channel;
        room[at] = share(output, at, width, scale, lost[at] > 0);
      }
    }
  }
  const spread = within ? room : around(room, height, width);
  const left = new Float32Array(lost.length);
  for (const taker of takers) {
    for (let at = 3 * taker; at < 3 * taker + 3; at++) {
      const rest = add(output, at, width, scale, lost[at] / Math.max(spread[at], LEAST_ROOM));
      left[at] = within && room[at] < LEAST_ROOM ? lost[at] : rest; // what a full block loses goes around
    }
    if (within && !takes(left, 3 * taker)) left.fill(0, 3 * taker, 3 * taker + 3);
  }
  return left;
}

/** Clip every value, and return the mean of what each block lost. */
function clipped(output: Float32Array, height: number, width: number, scale: number): Float32Array {
  const lost = new Float32Array(height * width * 3);
  for (let y = 0, index = 0; y < height * scale; y++) {
    const row = Math.floor(y / scale) * width * 3;
    for (let x = 0; x < width * scale; x++) {
      const block = row + Math.floor(x / scale) * 3;
      for (let channel = 0; channel < 3; channel++, index++) {
        const value = output[index];
        if (value >= 0 && value <= 1) continue;
        output[index] = value > 1 ? 1 : 0;
        lost[block + channel] += (value - output[index]) / (scale * scale);
      }
    }
  }
  return lost;
}

/** The blocks that lose more than nobody sees. */
function taking(lost: Float32Array): number[] {
  const blocks = [];
  for (let at = 0; at < lost.length; at += 3) if (takes(lost, at)) blocks.push(at / 3);
  return blocks;
}

const takes = (lost: Float32Array, at: number): boolean =>
  Math.abs(lost[at]) > LEAST || Math.abs(lost[at + 1]) > LEAST || Math.abs(lost[at + 2]) > LEAST;

/** The share of a block's pixels, in one channel, that have room to rise or to fall. */
function share(output: Float32Array, at: number, width: number, scale: number, rises: boolean): number {
  let count = 0;
  within(at, width, scale, (index) => {
    if (hasRoom(output[index], rises)) count++;
  });
  return count / (scale * scale);
}

const hasRoom = (value: number, rises: boolean): boolean => (rises ? value < 1 : value > 0);

/** Add to a block's pixels, in one channel, that have room; returns the mean that is beyond [0, 1]. */
function add(output: Float32Array, at: number, width: number, scale: number, given: number): number {
  let beyond = 0;
  within(at, width, scale, (index) => {
    const before = output[index];
    if (!hasRoom(before, given > 0)) return;
    const wanted = before + given;
    const clipped = Math.min(Math.max(wanted, 0), 1);
    output[index] = clipped;
    beyond += wanted - clipped; // exactly 0 where all fits: its sign matters
  });
  return beyond / (scale * scale);
}

/** Visit the places in the output of a block's channel, at `at` in `(H, W, 3)`. */
function within(at: number, width: number, scale: number, visit: (index: number) => void): void {
  const block = Math.floor(at / 3);
  const y = Math.floor(block / width);
  const row = width * scale * 3;
  const first = y * scale * row + (block - y * width) * scale * 3 + (at % 3);
  for (let dy = 0; dy < scale; dy++) {
    for (let dx = 0; dx < scale; dx++) visit(first + dy * row + 3 * dx);
  }
}

/** Blocks around one, itself included; at the border some come twice, as if it went on. */
function neighbours(block: number, height: number, width: number): number[] {
  const y = Math.floor(block / width);
  const x = block - y * width;
  const found = [];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const row = Math.min(Math.max(y + dy, 0), height - 1);
      found.push(row * width + Math.min(Math.max(x + dx, 0), width - 1));
    }
  }
  return found;
}

/** Means over a block and those around it. */
function around(values: Float32Array, height: number, width: number): Float32Array {
  const along = new Float32Array(values.length);
  const means = new Float32Array(values.length);
  const row = 3 * width;
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * row;
    const here = y * row;
    const below = Math.min(y + 1, height - 1) * row;
    for (let at = 0; at < row; at++) along[here + at] = values[above + at] + values[here + at] + values[below + at];
  }
  for (let y = 0; y < height; y++) {
    for (let at = 0; at < row; at++) {
      const left = at < 3 ? at : at - 3;
      const right = at + 3 < row ? at + 3 : at;
      means[y * row + at] = (along[y * row + left] + along[y * row + at] + along[y * row + right]) / 9;
    }
  }
  return means;
}
