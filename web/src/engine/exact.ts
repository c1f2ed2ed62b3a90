/** What needs no guess: single colours, black and white, and gray; as `srez/upscaling/exact.py`. */

import { gray, saturated } from "./masks";

const SATURATED_REACH = 2; // input pixels of black or white around one that stays so

/**
 * Replace, in place, what a network only comes close to and what eyes see.
 *
 * `output` is the network's, `(scale H, scale W, 3)`; `flat` is where it sees a single colour.
 */
export function make(
  output: Float32Array, image: Float32Array, height: number, width: number,
  flat: Uint8Array, scale: number, radius: number,
): void {
  const colourless = gray(image, height, width, radius);
  const ends = [0, 1, 2].map((channel) => saturated(image, height, width, channel, SATURATED_REACH));
  const row = width * scale * 3;
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const [red, green, blue] = ends.map((end) => flat[pixel] || end[pixel]);
      if (!(colourless[pixel] || red || green || blue)) continue;
      for (let dy = 0; dy < scale; dy++) {
        let at = (y * scale + dy) * row + x * scale * 3;
        for (let dx = 0; dx < scale; dx++, at += 3) {
          if (colourless[pixel]) output.fill((output[at] + output[at + 1] + output[at + 2]) / 3, at, at + 3);
          if (red) output[at] = image[3 * pixel];
          if (green) output[at + 1] = image[3 * pixel + 1];
          if (blue) output[at + 2] = image[3 * pixel + 2];
        }
      }
    }
  }
}

/** Every pixel repeated `scale` times in both directions. */
export function nearest(image: Float32Array, height: number, width: number, scale: number): Float32Array {
  const row = width * scale * 3;
  const output = new Float32Array(height * scale * row);
  for (let y = 0; y < height; y++) {
    const top = y * scale * row;
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * 3;
      output.set(image.subarray(from, from + 3), top + 3 * x);
    }
    for (let dy = 1; dy < scale; dy++) output.copyWithin(top + dy * row, top, top + row);
  }
  return output;
}
