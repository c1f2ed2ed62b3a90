/** A model in ONNX Runtime: WebAssembly with threads, or WebGPU, which is only loaded when it is asked for. */

import glue from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import type { InferenceSession } from "onnxruntime-web";
import { blended, type Settings } from "./weights";
import { fetched } from "./fetched";
import type { Network } from "./tiles";
import runtime from "../../packed/ort.wasm.gz?url";

/** What computes. */
export type Device = "cpu" | "gpu";

/** A network that is ready to run, in memory until it is released. */
export interface Loaded {
  run: Network;
  release: () => Promise<void>;
}

/** The network of the model for some settings, on a device. */
export async function load(settings: Settings, device: Device, threads: number): Promise<Loaded> {
  const [ort, weights] = await Promise.all([device === "gpu" ? withGpu() : withThreads(threads), blended(settings)]);
  const session: InferenceSession = await ort.InferenceSession.create(weights, {
    executionProviders: [device === "gpu" ? "webgpu" : "wasm"],
  });
  const run: Network = async (image, height, width) => {
    const input = new ort.Tensor("float32", image, [1, height, width, 3]);
    const output = await session.run({ [session.inputNames[0]]: input });
    return (await output[session.outputNames[0]].getData()) as Float32Array;
  };
  return { run, release: () => session.release() };
}

async function withThreads(threads: number): Promise<typeof import("onnxruntime-web/wasm")> {
  const ort = await import("onnxruntime-web/wasm");
  ort.env.wasm.wasmPaths = { mjs: new URL(glue, import.meta.url).href };
  ort.env.wasm.wasmBinary ??= await fetched(runtime);
  ort.env.wasm.numThreads = self.crossOriginIsolated ? threads : 1;
  return ort;
}

async function withGpu(): Promise<typeof import("onnxruntime-web/webgpu")> {
  const { ort } = await import("./gpu");
  return ort;
}
