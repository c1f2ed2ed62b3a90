import { PictureError } from "../picture";

/** A file of the page that is stored in gzip. Some servers say so in a header, and then it arrives unpacked. */
export async function fetched(url: string): Promise<ArrayBuffer> {
  const response = await fetch(new URL(url, import.meta.url)).catch(() => null);
  if (!response?.ok) throw new PictureError("needs a part of this page that is not here yet: go online once");
  const file = await response.blob();
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first !== 0x1f || second !== 0x8b) return file.arrayBuffer();
  return new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
