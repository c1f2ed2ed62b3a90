/** A picture in memory, upright; alpha is straight. */
export interface Picture {
  width: number;
  height: number;
  /** 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA. */
  channels: number;
  /** Rows from the top, pixels with their channels together. */
  pixels: Pixels;
  /** What the values mean: chunks of a PNG, each whole. */
  colours: Uint8Array<ArrayBuffer>[];
}

/** 8 bits a channel, or 16. */
export type Pixels = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

/** The value of white. */
export const most = (pixels: Pixels): number => (pixels instanceof Uint16Array ? 65535 : 255);

/** Pixels of the same kind, all zero. */
export const likewise = (pixels: Pixels, length: number): Pixels =>
  pixels instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

/** What a user can do something about, such as a file that cannot be used, in one sentence. */
export class PictureError extends Error {}
