/** The list of pictures: one after another is upscaled, and each has its row. */

import { downloadZip } from "client-zip";
import type { Result } from "../engine/worker";
import type { Settings } from "../engine/weights";
import { element } from "./elements";
import type { Incoming } from "./intake";
import type { Upscaler } from "./upscaler";
import type { Viewer } from "./viewer";

interface Row {
  path: string;
  file: File;
  settings: Settings;
  line: HTMLElement;
  cancel: AbortController;
  result?: Result;
  url?: string;
  failed?: boolean;
}

export class Queue {
  private rows: Row[] = [];
  private busy = false;
  private zipped = "";

  constructor(private readonly upscaler: Upscaler, private readonly viewer: Viewer, private readonly scale: number) {
    element("clear").addEventListener("click", () => [...this.rows].forEach((row) => this.remove(row)));
    element("zip").addEventListener("click", (event) => this.zip(event));
  }

  /** Add pictures, to be upscaled as the settings are now. */
  add(incoming: Incoming[], settings: Settings): void {
    for (const { file, path } of incoming) {
      const copy = element<HTMLTemplateElement>("row").content.cloneNode(true) as DocumentFragment;
      const row: Row = { path, file, settings, line: copy.querySelector("li")!, cancel: new AbortController() };
      part(row, "name").textContent = path;
      part(row, "state").textContent = "waiting";
      part(row, "remove").setAttribute("aria-label", `Cancel ${path}`);
      part(row, "remove").addEventListener("click", () => this.remove(row));
      part(row, "show").addEventListener("click", () => this.show(row));
      element("list").append(copy);
      this.rows.push(row);
    }
    this.update();
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let row; (row = this.rows.find((each) => !each.result && !each.failed)); ) await this.upscale(row);
    this.busy = false;
  }

  private async upscale(row: Row): Promise<void> {
    const progress = row.line.querySelector("progress")!;
    const tell = (fraction: number) => {
      progress.value = fraction;
      part(row, "state").textContent = `${Math.round(100 * fraction)} %`;
    };
    part(row, "state").textContent = "upscaling";
    progress.removeAttribute("value"); // how far is known after the first tile
    progress.setAttribute("aria-label", `Progress of ${row.path}`);
    const started = performance.now();
    try {
      row.result = await this.upscaler.upscale(row.file, row.settings, tell, row.cancel.signal);
      const seconds = (performance.now() - started) / 1000;
      row.line.dataset.seconds = seconds.toFixed(2);
      this.finish(row, `${row.result.width}×${row.result.height}, ${seconds.toFixed(1)} s`);
    } catch (error) {
      if (row.cancel.signal.aborted) return;
      row.failed = true;
      row.line.classList.add("failed");
      this.say(row, error instanceof Error ? error.message : String(error));
    }
    part(row, "remove").textContent = "Remove";
    part(row, "remove").setAttribute("aria-label", `Remove ${row.path}`);
    progress.remove();
    this.update();
  }

  private finish(row: Row, what: string): void {
    row.url = URL.createObjectURL(row.result!.file);
    const save = part<HTMLAnchorElement>(row, "save");
    save.href = row.url;
    save.download = this.name(row).split("/").at(-1)!;
    save.setAttribute("aria-label", `Save ${save.download}`);
    part(row, "show").setAttribute("aria-label", `Show ${row.path}`);
    save.hidden = part(row, "show").hidden = false;
    row.line.classList.add("done");
    this.say(row, what);
    if (element("viewer").hidden) void this.show(row);
  }

  private say(row: Row, what: string): void {
    part(row, "state").textContent = what;
    element("news").textContent = `${row.path} ${what}`;
  }

  private async show(row: Row): Promise<void> {
    const { before, after, isPart } = row.result!.shown;
    for (const each of this.rows) each.line.classList.toggle("shown", each === row);
    await this.viewer.show(before, after, isPart);
  }

  private remove(row: Row): void {
    row.cancel.abort();
    this.rows = this.rows.filter((each) => each !== row);
    if (row.line.classList.contains("shown")) this.viewer.hide();
    if (row.url) URL.revokeObjectURL(row.url);
    row.line.remove();
    this.update();
  }

  private update(): void {
    element("work").hidden = !this.rows.length;
    element("zip").hidden = this.rows.filter((row) => row.result).length < 2;
    this.forgetZip();
  }

  private name(row: Row): string {
    return `${row.path.replace(/\.\w+$/, "")}_x${this.scale}.png`;
  }

  /** The zip is made at the first click, and saved by a second one that this makes itself. */
  private async zip(event: Event): Promise<void> {
    if (this.zipped) return;
    event.preventDefault();
    const link = element<HTMLAnchorElement>("zip");
    const names = new Map<string, number>();
    const files = this.rows.filter((row) => row.result).map((row) => ({ name: unique(this.name(row), names), input: row.result!.file }));
    this.zipped = URL.createObjectURL(await downloadZip(files).blob());
    link.href = this.zipped;
    link.download = "srez.zip";
    link.click();
  }

  private forgetZip(): void {
    if (this.zipped) URL.revokeObjectURL(this.zipped);
    this.zipped = "";
    element("zip").setAttribute("href", "#zip"); // so that a keyboard reaches it
  }
}

function part<T extends HTMLElement = HTMLElement>(row: Row, name: string): T {
  return row.line.querySelector<T>(`.${name}`)!;
}

/** A name that no other file of the zip has. */
function unique(name: string, names: Map<string, number>): string {
  const count = names.get(name) ?? 0;
  names.set(name, count + 1);
  return count ? name.replace(/\.png$/, `-${count + 1}.png`) : name;
}
