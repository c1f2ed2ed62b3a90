/** Before and after, one over the other, with a line to move, zoom and pan. */

import { element } from "./elements";

const CLOSEST = 16; // screen pixels for one of the result
const STEP = 1.5; // of a zoom by a button
const MOVE = 40; // screen pixels, of an arrow key

export class Viewer {
  private readonly stage = element("stage");
  private readonly slider = element<HTMLInputElement>("slider");
  private readonly images = [element<HTMLImageElement>("before"), element<HTMLImageElement>("after")];
  private urls: string[] = [];
  private size = { width: 1, height: 1 };
  private at = { x: 0, y: 0, zoom: 1 };

  constructor() {
    this.slider.addEventListener("input", () => this.draw());
    element("in").addEventListener("click", () => this.zoom(STEP));
    element("out").addEventListener("click", () => this.zoom(1 / STEP));
    element("fit").addEventListener("click", () => this.fit());
    new ResizeObserver(() => this.fit()).observe(this.stage);
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
    element("viewer").addEventListener("keydown", (event) => this.key(event));
  }

  /** Show two pictures of the same part; sizes are those of the second, in its pixels. */
  async show(before: Blob, after: Blob, isPart: boolean): Promise<void> {
    this.hide();
    const urls = [URL.createObjectURL(before), URL.createObjectURL(after)];
    this.urls = urls;
    this.images.forEach((image, index) => (image.src = urls[index]));
    try {
      await Promise.all(this.images.map((image) => image.decode()));
    } catch (error) {
      if (this.urls === urls) throw error;
    }
    if (this.urls !== urls) return; // hidden, or others are shown, meanwhile
    const { naturalWidth: width, naturalHeight: height } = this.images[1];
    this.size = { width, height };
    for (const image of this.images) [image.width, image.height] = [width, height];
    element("part").hidden = !isPart;
    element("viewer").hidden = false;
    this.fit();
  }

  hide(): void {
    element("viewer").hidden = true;
    for (const image of this.images) image.removeAttribute("src");
    this.urls.forEach((url) => URL.revokeObjectURL(url));
    this.urls = [];
  }

  private fit(): void {
    const { clientWidth, clientHeight } = this.stage;
    const zoom = Math.min(clientWidth / this.size.width, clientHeight / this.size.height);
    const [x, y] = [(clientWidth - zoom * this.size.width) / 2, (clientHeight - zoom * this.size.height) / 2];
    this.at = { x, y, zoom };
    this.draw();
  }

  /** Zoom around a place of the stage, its middle by default. */
  private zoom(factor: number, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2): void {
    const zoom = Math.min(Math.max(this.at.zoom * factor, 0.01), CLOSEST);
    const real = zoom / this.at.zoom;
    this.at = { x: x - (x - this.at.x) * real, y: y - (y - this.at.y) * real, zoom };
    this.draw();
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && document.activeElement !== this.slider && !this.stage.matches(":hover")) return;
    event.preventDefault();
    const { left, top } = this.stage.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY / 500), event.clientX - left, event.clientY - top);
  }

  /** Near the line, the line is dragged; elsewhere, the picture. */
  private drag(start: PointerEvent): void {
    const box = this.stage.getBoundingClientRect();
    const onLine = Math.abs(start.clientX - box.left - (Number(this.slider.value) / 100) * box.width) < 16;
    const from = { ...this.at };
    const move = (event: PointerEvent) => {
      if (onLine) this.slider.value = String(((event.clientX - box.left) / box.width) * 100);
      else this.at = { ...this.at, x: from.x + event.clientX - start.clientX, y: from.y + event.clientY - start.clientY };
      this.draw();
    };
    this.stage.setPointerCapture(start.pointerId);
    this.stage.addEventListener("pointermove", move);
    this.stage.addEventListener("lostpointercapture", () => this.stage.removeEventListener("pointermove", move), { once: true });
  }

  private key(event: KeyboardEvent): void {
    if (event.target === this.slider && event.key.startsWith("Arrow")) return; // which move the line
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE],
    };
    if (event.key === "+") this.zoom(STEP);
    else if (event.key === "-") this.zoom(1 / STEP);
    else if (event.key === "0") this.fit();
    else if (moves[event.key]) {
      const [x, y] = moves[event.key];
      this.at = { ...this.at, x: this.at.x + x, y: this.at.y + y };
      this.draw();
    } else return;
    event.preventDefault();
  }

  private draw(): void {
    const { x, y, zoom } = this.at;
    for (const image of this.images) {
      image.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
      image.style.imageRendering = zoom > 2 ? "pixelated" : "auto";
    }
    element("over").style.clipPath = `inset(0 ${100 - Number(this.slider.value)}% 0 0)`;
    element("line").style.left = `${this.slider.value}%`;
    element("zoom").textContent = `${Math.round(zoom * 100)} %`;
  }
}
