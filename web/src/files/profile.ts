/** What a file says its colours mean, as chunks of a PNG. */

import { chunk, chunks } from "./chunks";
import type { Kind } from "./kinds";

const OF_PNG = new Set(["cICP", "iCCP", "sRGB", "gAMA", "cHRM"]);
const MARK = "ICC_PROFILE\0"; // before each part of a profile in a JPEG

/** Chunks that describe the colours of a file's pixels, as they are stored. */
export async function describe(bytes: Uint8Array, kind: Kind): Promise<Uint8Array<ArrayBuffer>[]> {
  if (kind === "PNG") return [...chunks(bytes)].filter((each) => OF_PNG.has(each.kind)).map((each) => each.whole);
  const profile = kind === "JPEG" ? ofJpeg(bytes) : kind === "WebP" ? ofWebp(bytes) : null;
  if (!profile) return [];
  const packed = new Blob([profile]).stream().pipeThrough(new CompressionStream("deflate"));
  const name = new TextEncoder().encode("ICC profile\0\0"); // and the method of compression
  return [chunk("iCCP", new Uint8Array(await new Blob([name, await new Response(packed).arrayBuffer()]).arrayBuffer()))];
}

/** The number of a JPEG's channels; 0 if it does not say. */
export function jpegChannels(bytes: Uint8Array): number {
  for (const { marker, data } of segments(bytes)) {
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return data[5];
  }
  return 0;
}

/** A profile lies in segments of at most 64 KB, each with its number. */
function ofJpeg(bytes: Uint8Array): Blob | null {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const { marker, data } of segments(bytes)) {
    if (marker === 0xe2 && String.fromCharCode(...data.subarray(0, MARK.length)) === MARK) {
      parts[data[MARK.length] - 1] = data.slice(MARK.length + 2);
    }
  }
  return parts.length && Object.keys(parts).length === parts.length ? new Blob(parts) : null;
}

/** The segments of a JPEG before its pixels. */
function* segments(bytes: Uint8Array): Generator<{ marker: number; data: Uint8Array }> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (marker === 0xda) return;
    yield { marker, data: bytes.subarray(at + 4, at + 2 + length) };
    at += 2 + length;
  }
}

function ofWebp(bytes: Uint8Array): Blob | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) === "ICCP") return new Blob([bytes.slice(at + 8, at + 8 + length)]);
    at += 8 + length + (length % 2);
  }
  return null;
}
