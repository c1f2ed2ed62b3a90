/** The chunks that a PNG consists of. */

export const SIGNATURE = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** A whole chunk: its length, kind, data and checksum. */
export function chunk(kind: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(data.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index++) whole[4 + index] = kind.charCodeAt(index);
  whole.set(data, 8);
  let crc = 0xffffffff;
  for (let index = 4; index < data.length + 8; index++) crc = CRCS[(crc ^ whole[index]) & 255] ^ (crc >>> 8);
  view.setUint32(data.length + 8, ~crc >>> 0);
  return whole;
}

/** The chunks of a PNG, as far as they are whole. */
export function* chunks(png: Uint8Array): Generator<{ kind: string; whole: Uint8Array<ArrayBuffer> }> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let start = SIGNATURE.length; start + 12 <= png.length; ) {
    const end = start + 12 + view.getUint32(start);
    if (end > png.length) return;
    yield { kind: String.fromCharCode(...png.subarray(start + 4, start + 8)), whole: png.slice(start, end) };
    start = end;
  }
}
