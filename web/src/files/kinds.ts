/** Which kinds of picture a file may be, by its first bytes. */

export type Kind = "PNG" | "JPEG" | "WebP" | "AVIF" | "GIF" | "BMP";

const STARTS: [Kind, RegExp][] = [
  ["PNG", /^\x89PNG\r\n\x1a\n/],
  ["JPEG", /^\xff\xd8\xff/],
  ["WebP", /^RIFF[^]{4}WEBP/],
  ["AVIF", /^[^]{4}ftypavi[fs]/],
  ["GIF", /^GIF8[79]a/],
  ["BMP", /^BM/],
];

/** The kind of a file; null if it is none that browsers read. */
export function kindOf(bytes: Uint8Array): Kind | null {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  return STARTS.find(([, pattern]) => pattern.test(start))?.[0] ?? null;
}

/** The media type, for a browser's decoders. */
export const mediaType = (kind: Kind): string => `image/${kind.toLowerCase()}`;
