/** Writing a PNG while its rows come in, so that a result need never be in memory whole. */

import type { Pixels } from "../picture";
import { chunk, SIGNATURE } from "./chunks";

const COLOUR_TYPES = [0, 0, 4, 2, 6]; // of a PNG, by the number of channels
const PIECE = 8 * 2 ** 20; // bytes that are collected before the browser may put them on disk

/** What a PNG says before its pixels. */
export interface Header {
  width: number;
  height: number;
  channels: number;
  deep: boolean; // 16 bits a channel
  colours: Uint8Array<ArrayBuffer>[];
}

export class PngWriter {
  private readonly deflate = new CompressionStream("deflate");
  private readonly input = this.deflate.writable.getWriter();
  private readonly output: Promise<Blob>;
  private above: Uint8Array;

  constructor(private readonly header: Header) {
    this.above = new Uint8Array(this.rowBytes);
    this.output = this.collect();
  }

  /** Add rows, any number of them together. */
  async write(rows: Pixels): Promise<void> {
    const bytes = bigEndian(rows);
    const step = this.header.channels * (this.header.deep ? 2 : 1);
    const filtered = new Uint8Array((bytes.length / this.rowBytes) * (this.rowBytes + 1));
    for (let start = 0, to = 0; start < bytes.length; start += this.rowBytes, to += this.rowBytes + 1) {
      const row = bytes.subarray(start, start + this.rowBytes);
      paeth(row, this.above, step, filtered.subarray(to, to + this.rowBytes + 1));
      this.above = row;
    }
    this.above = this.above.slice(); // lets go of the rest
    await this.input.write(filtered);
  }

  /** The file, when all rows are written. */
  async finish(): Promise<Blob> {
    await this.input.close();
    return this.output;
  }

  private get rowBytes(): number {
    return this.header.width * this.header.channels * (this.header.deep ? 2 : 1);
  }

  private async collect(): Promise<Blob> {
    const parts: Blob[] = [];
    let pieces: Uint8Array<ArrayBuffer>[] = [SIGNATURE, this.head(), ...this.header.colours];
    let size = 0;
    for await (const bytes of this.deflate.readable) {
      pieces.push(chunk("IDAT", bytes));
      size += bytes.length;
      if (size >= PIECE) {
        parts.push(new Blob(pieces));
        [pieces, size] = [[], 0];
      }
    }
    return new Blob([...parts, ...pieces, chunk("IEND", new Uint8Array())], { type: "image/png" });
  }

  private head(): Uint8Array<ArrayBuffer> {
    const data = new DataView(new ArrayBuffer(13));
    data.setUint32(0, this.header.width);
    data.setUint32(4, this.header.height);
    data.setUint8(8, this.header.deep ? 16 : 8);
    data.setUint8(9, COLOUR_TYPES[this.header.channels]);
    return chunk("IHDR", new Uint8Array(data.buffer));
  }
}

/** The PNG filter of Paeth, which suits photographs; `step` is the bytes of a pixel. */
function paeth(row: Uint8Array, above: Uint8Array, step: number, filtered: Uint8Array): void {
  filtered[0] = 4;
  for (let at = 0; at < row.length; at++) {
    const left = at < step ? 0 : row[at - step];
    const corner = at < step ? 0 : above[at - step];
    const up = above[at];
    const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
    const nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    filtered[at + 1] = row[at] - nearest;
  }
}

function bigEndian(rows: Pixels): Uint8Array {
  if (rows instanceof Uint8Array) return rows;
  const bytes = new Uint8Array(2 * rows.length);
  rows.forEach((value, index) => {
    bytes[2 * index] = value >> 8;
    bytes[2 * index + 1] = value;
  });
  return bytes;
}
