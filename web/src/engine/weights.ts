/** The model's weights between vivid and faithful, and between none and full repair; as `srez/models/blending.py`. */

import model from "../../packed/model.json";
import { fetched } from "./fetched";

/** Both from 0 to 1: how faithful, and how much repaired. */
export interface Settings {
  fidelity: number;
  repair: number;
}

/** Where the weights of each corner are, in gzip. */
const FILES = import.meta.glob<string>("../../packed/*.onnx.gz", { query: "?url", import: "default", eager: true });

/** The .onnx file for some settings; only the corners that have a share in it are loaded. */
export async function blended({ fidelity, repair }: Settings): Promise<Uint8Array> {
  const shares = {
    faithful: fidelity * (1 - repair),
    vivid: (1 - fidelity) * (1 - repair),
    repair: fidelity * repair,
    vivid_repair: (1 - fidelity) * repair,
  };
  const corners = Object.entries(shares).filter(([, share]) => share);
  const files = await Promise.all(corners.map(([corner]) => fetched(FILES[`../../packed/${corner}.onnx.gz`])));
  const mixed = new Uint8Array(files[0]);
  if (files.length === 1) return mixed;
  const views = files.map((file) => new DataView(file.slice(0)));
  const result = new DataView(mixed.buffer);
  for (const [start, stop] of model.places) {
    for (let at = start; at < stop; at += 4) {
      const value = views.reduce((sum, view, index) => sum + corners[index][1] * view.getFloat32(at, true), 0);
      result.setFloat32(at, value, true);
    }
  }
  return mixed;
}
