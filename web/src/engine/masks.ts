/** Where a picture needs no guess; as `srez/images/masks.py`. Images are `(H, W, 3)` in [0, 1]. */

/** Where a picture has one colour all around, within a radius; beyond the border nothing differs. */
export function flat(image: Float32Array, height: number, width: number, radius: number): Uint8Array {
  const differs = changes(height, width, (at, other) => {
    return image[at] !== image[other] || image[at + 1] !== image[other + 1] || image[at + 2] !== image[other + 2];
  });
  return clear(differs, height, width, radius, radius - 1);
}

/** Where all channels are equal all around. */
export function gray(image: Float32Array, height: number, width: number, radius: number): Uint8Array {
  const coloured = new Uint8Array(height * width);
  for (let pixel = 0, at = 0; pixel < coloured.length; pixel++, at += 3) {
    coloured[pixel] = image[at] !== image[at + 1] || image[at] !== image[at + 2] ? 1 : 0;
  }
  return clear(coloured, height, width, radius, radius);
}

/** Where a channel is at the end of its range all around. */
export function saturated(
  image: Float32Array, height: number, width: number, channel: number, radius: number,
): Uint8Array {
  const differs = changes(height, width, (at, other) => image[at + channel] !== image[other + channel]);
  const alike = clear(differs, height, width, radius, radius - 1);
  return alike.map((is, pixel) => {
    const value = image[3 * pixel + channel];
    return is && (value === 0 || value === 1) ? 1 : 0;
  });
}

/** Which pixels differ from the next one to the right or below. */
function changes(height: number, width: number, differ: (at: number, other: number) => boolean): Uint8Array {
  const marks = new Uint8Array(height * width);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const right = x + 1 < width && differ(3 * pixel, 3 * (pixel + 1));
      const below = y + 1 < height && differ(3 * pixel, 3 * (pixel + width));
      marks[pixel] = right || below ? 1 : 0;
    }
  }
  return marks;
}

/** Where no mark is within `before` pixels up or left and `after` down or right, by sums from the corner. */
function clear(marks: Uint8Array, height: number, width: number, before: number, after: number): Uint8Array {
  const row = width + 1;
  const sums = new Int32Array((height + 1) * row);
  for (let y = 0; y < height; y++) {
    for (let x = 0, along = 0; x < width; x++) {
      along += marks[y * width + x];
      sums[(y + 1) * row + x + 1] = sums[y * row + x + 1] + along;
    }
  }
  const result = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    const top = Math.max(y - before, 0) * row;
    const bottom = Math.min(y + after + 1, height) * row;
    for (let x = 0; x < width; x++) {
      const left = Math.max(x - before, 0);
      const right = Math.min(x + after + 1, width);
      result[y * width + x] = sums[bottom + right] - sums[bottom + left] === sums[top + right] - sums[top + left] ? 1 : 0;
    }
  }
  return result;
}
