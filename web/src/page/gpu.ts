/** WebGPU, where there is one: tried when the user asks, and kept where it is faster than the processor. */

import type { Settings } from "../engine/weights";
import { element } from "./elements";
import { Upscaler } from "./upscaler";

/** Offer to try it; a browser without WebGPU is not bothered. */
export async function offerGpu(upscaler: Upscaler, settings: () => Settings): Promise<void> {
  if (!(await adapter().catch(() => null))) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try the graphics card (loads 6 MB more)";
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = "Timing …";
    element("device").textContent = await faster(upscaler, settings());
  });
  element("device").append(" ", button);
}

const adapter = async (): Promise<GPUAdapter | null> => (await navigator.gpu?.requestAdapter()) ?? null;

/** Whether two results are within a grey level. */
const alike = (one: Float32Array, other: Float32Array): boolean =>
  one.length === other.length && one.every((value, index) => Math.abs(value - other[index]) <= 1 / 255);

async function faster(upscaler: Upscaler, settings: Settings): Promise<string> {
  const gpu = new Upscaler("gpu");
  const cpu = new Upscaler("cpu");
  try {
    const [fast, slow] = [await gpu.time(settings), await cpu.time(settings)];
    if (!alike(fast.output, slow.output)) return "The processor is used: the graphics card computes something else.";
    const times = `${(1000 * fast.seconds).toFixed(0)} ms against ${(1000 * slow.seconds).toFixed(0)} ms`;
    if (fast.seconds >= slow.seconds) return `The processor is used: the graphics card took ${times}.`;
    upscaler.device = "gpu";
    return `The graphics card is used: ${times}.`;
  } catch {
    return "The processor is used: the graphics card does not run the model.";
  } finally {
    gpu.end();
    cpu.end();
  }
}
