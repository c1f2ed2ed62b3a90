/** The page: puts its parts together. */

import model from "../../packed/model.json";
import type { Settings } from "../engine/weights";
import { element } from "./elements";
import { listen } from "./intake";
import { isolated } from "./isolation";
import { Queue } from "./queue";
import { offerGpu } from "./gpu";
import { threads, Upscaler } from "./upscaler";
import { Viewer } from "./viewer";

const look = element<HTMLInputElement>("look");
const repair = element<HTMLInputElement>("repair");

function settings(): Settings {
  return { fidelity: Number(look.value), repair: Number(repair.value) };
}

function describe(): void {
  const { fidelity, repair } = settings();
  element("look-is").textContent = fidelity === 1 ? "faithful" : fidelity === 0 ? "vivid" : `fidelity ${fidelity}`;
  element("repair-is").textContent = repair ? String(repair) : "none";
}

look.value = String(model.fidelity);
for (const input of [look, repair]) input.addEventListener("input", describe);
describe();

const upscaler = new Upscaler();
const queue = new Queue(upscaler, new Viewer(), model.scale);
const ready = isolated();
listen(element("drop"), [element("files"), element("folder")], async (incoming) => {
  await ready;
  queue.add(incoming, settings());
});
await ready;
element("device").textContent = `Ready, offline too: ${threads() === 1 ? "one thread" : `${threads()} threads`} of the processor.`;
document.body.dataset.ready = "yes";
upscaler.time(settings()).catch(() => {}); // while pictures are chosen, the model is loaded, and compiled by its use
await offerGpu(upscaler, settings);
