/** ONNX Runtime with WebGPU, apart: it is several megabytes more, and needs none of them elsewhere. */

import * as ort from "onnxruntime-web/webgpu";
import glue from "onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url";
import { fetched } from "./fetched";
import runtime from "../../packed/ort-gpu.wasm.gz?url";

ort.env.wasm.wasmPaths = { mjs: new URL(glue, import.meta.url).href };
ort.env.wasm.wasmBinary = await fetched(runtime);
ort.env.wasm.numThreads = 1;

export { ort };
