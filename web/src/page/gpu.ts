/** WebGPU, where there is one: tried when the user asks, and kept where it is faster than the processor. */

import type { Settings } from "../engine/weights";
import { element } from "./elements";
import { Upscaler } from "./upscaler";

/** Offer to try it; a browser without WebGPU is not bothered. */
export async function offerGpu(upscaler: Upscaler, settings: () => Settings): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter) return;
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

async function faster(upscaler: Upscaler, settings: Settings): Promise<string> {
  const gpu = new Upscaler("gpu");
  const cpu = new Upscaler("cpu");
  try {
    const [fast, slow] = [await gpu.time(settings), await cpu.time(settings)];
    if (fast < slow) upscaler.device = "gpu";
    const times = `${(1000 * fast).toFixed(0)} ms against ${(1000 * slow).toFixed(0)} ms`;
    return fast < slow ? `The graphics card is used: ${times}.` : `The processor is used: the graphics card took ${times}.`;
  } catch {
    return "The processor is used: the graphics card does not run the model.";
  } finally {
    gpu.end();
    cpu.end();
  }
}
