export const REACH = 8; // pixels that visible colours are spread under transparent ones

/**
 * Carry visible colours under what is fully transparent, in place, so that no hidden colour bleeds out; as
 * `fill_hidden` of `srez/images/hidden.py`. `colours` is `(H, W, 3)`, `alpha` `(H, W)`.
 */
export function fill(colours: Float32Array, alpha: Float32Array, height: number, width: number): void {
  const known = Uint8Array.from(alpha, (value) => (value > 0 ? 1 : 0));
  let edge = known.includes(0) && known.includes(1) ? hiddenBeside(known, height, width) : [];
  for (let pass = 0; pass < REACH && edge.length; pass++) {
    const fresh = edge.map((pixel) => mean(colours, around(pixel, height, width).filter((other) => known[other])));
    edge.forEach((pixel, index) => {
      colours.set(fresh[index], 3 * pixel);
      known[pixel] = 1;
    });
    edge = [...new Set(edge.flatMap((pixel) => around(pixel, height, width).filter((other) => !known[other])))];
  }
}

function hiddenBeside(known: Uint8Array, height: number, width: number): number[] {
  const found = [];
  for (let pixel = 0; pixel < known.length; pixel++) {
    if (!known[pixel] && around(pixel, height, width).some((other) => known[other])) found.push(pixel);
  }
  return found;
}

function mean(colours: Float32Array, pixels: number[]): number[] {
  const sums = [0, 0, 0];
  for (const pixel of pixels) for (let channel = 0; channel < 3; channel++) sums[channel] += colours[3 * pixel + channel];
  return sums.map((sum) => sum / pixels.length);
}

/** The 3x3 pixels around one that exist. */
function around(pixel: number, height: number, width: number): number[] {
  const y = Math.floor(pixel / width);
  const x = pixel - y * width;
  const found = [];
  for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
    for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) found.push(row * width + column);
  }
  return found;
}
