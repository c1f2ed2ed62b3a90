/** Reading a picture: PNG exactly and with 16 bits, other kinds as the browser decodes them. */

import { convertIndexedToRgb, decode, type DecodedPng } from "fast-png";
import { type Picture, PictureError, type Pixels } from "../picture";
import { chunks } from "./chunks";
import { type Kind, kindOf, mediaType } from "./kinds";
import { describe, jpegChannels } from "./profile";

export const MAX_PIXELS = 32 * 2 ** 20; // of a picture: it is in memory whole, and then some

/** Read a picture, upright; raises a PictureError that says what is wrong with it. */
export async function read(file: Blob): Promise<Picture> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kind = kindOf(bytes);
  if (!kind) throw new PictureError(bytes.length ? "is not a PNG, JPEG, WebP, AVIF, GIF or BMP picture" : "is empty");
  await refuseAnimated(bytes, kind);
  const { channels, ...rest } = await (kind === "PNG" ? fromPng(bytes) : fromBrowser(bytes, kind));
  return { channels, ...rest, colours: fitting(await describe(bytes, kind), channels, kind) };
}

type Decoded = Omit<Picture, "colours">;

/** A canvas keeps colours multiplied by alpha, so a PNG is not decoded by the browser. */
async function fromPng(bytes: Uint8Array): Promise<Decoded> {
  const size = new DataView(bytes.buffer, bytes.byteOffset);
  if (bytes.length < 33) throw damaged();
  refuseLarge(size.getUint32(16), size.getUint32(20));
  try {
    if (![...chunks(bytes)].some((each) => each.kind === "IEND")) throw damaged();
    return unpacked(decode(bytes, { checkCrc: true }));
  } catch {
    throw damaged();
  }
}

/** A PNG's palette, its gray of fewer than 8 bits and its transparent colour as plain channels. */
function unpacked(png: DecodedPng): Decoded {
  const { width, height, depth } = png;
  if (png.palette) {
    const pixels = Uint8Array.from(convertIndexedToRgb(png));
    return { width, height, channels: pixels.length / (width * height), pixels };
  }
  const pixels: Pixels = depth < 8 ? spread(png) : depth === 16 ? Uint16Array.from(png.data) : Uint8Array.from(png.data);
  if (!png.transparency) return { width, height, channels: png.channels, pixels };
  const white = depth === 16 ? 65535 : 255;
  const factor = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const hidden = Array.from(png.transparency, (value) => value * factor);
  return { width, height, channels: png.channels + 1, pixels: withHidden(pixels, png.channels, hidden, white) };
}

/** Gray of 1, 2 or 4 bits, which is packed into bytes row by row, as 8 bits. */
function spread({ width, height, depth, data }: DecodedPng): Pixels {
  const pixels = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  const highest = 2 ** depth - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const shift = 8 - depth - ((x * depth) % 8);
      pixels[y * width + x] = ((data[y * rowBytes + ((x * depth) >> 3)] >> shift) & highest) * (255 / highest);
    }
  }
  return pixels;
}

/** With an alpha channel, which is 0 where a pixel has the hidden colour. */
function withHidden(pixels: Pixels, channels: number, hidden: number[], white: number): Pixels {
  const length = (pixels.length / channels) * (channels + 1);
  const result = white === 255 ? new Uint8Array(length) : new Uint16Array(length);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += channels + 1) {
    const colour = pixels.subarray(from, from + channels);
    result.set(colour, to);
    result[to + channels] = colour.every((value, channel) => value === hidden[channel]) ? 0 : white;
  }
  return result;
}

/** Colours as stored, but where no profile can be kept: then as sRGB. */
async function fromBrowser(bytes: Uint8Array<ArrayBuffer>, kind: Kind): Promise<Decoded> {
  const isKept = (kind === "JPEG" && jpegChannels(bytes) !== 4) || kind === "WebP";
  const bitmap = await createImageBitmap(new Blob([bytes], { type: mediaType(kind) }), {
    colorSpaceConversion: isKept ? "none" : "default",
    premultiplyAlpha: "none",
  }).catch(() => {
    throw damaged();
  });
  const { width, height } = bitmap;
  refuseLarge(width, height);
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const channels = jpegChannels(kind === "JPEG" ? bytes : new Uint8Array()) === 1 ? 1 : isOpaque(data) ? 3 : 4;
  return { width, height, channels, pixels: some(data, channels) };
}

function isOpaque(rgba: Uint8ClampedArray): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return false;
  return true;
}

/** The first channels of RGBA. */
function some(rgba: Uint8ClampedArray, channels: number): Pixels {
  const pixels = new Uint8Array((rgba.length / 4) * channels);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += channels) {
    for (let channel = 0; channel < channels; channel++) pixels[to + channel] = rgba[from + channel];
  }
  return pixels;
}

/** A profile of other channels than the pixels', as of a palette's gray, would make the result unreadable. */
function fitting(colours: Uint8Array<ArrayBuffer>[], channels: number, kind: Kind): Uint8Array<ArrayBuffer>[] {
  return kind !== "PNG" && channels < 3 ? [] : colours;
}

async function refuseAnimated(bytes: Uint8Array<ArrayBuffer>, kind: Kind): Promise<void> {
  const type = mediaType(kind);
  if (!("ImageDecoder" in self) || !(await ImageDecoder.isTypeSupported(type))) return;
  const decoder = new ImageDecoder({ data: bytes, type });
  const isAnimated = await decoder.tracks.ready.then(() => decoder.tracks.selectedTrack?.animated, () => false);
  decoder.close();
  if (isAnimated) throw new PictureError("is animated: only single pictures can be upscaled");
}

function refuseLarge(width: number, height: number): void {
  if (width * height > MAX_PIXELS) {
    throw new PictureError(
      `has ${width}x${height} pixels: a browser takes at most ${MAX_PIXELS.toLocaleString("en")}; use the srez command`,
    );
  }
}

const damaged = () => new PictureError("is damaged or cut short");
