// Before and after under one divider. The whole result can be zoomed and moved: by buttons, keys, a wheel with Ctrl,
// two fingers, or by dragging. The page's HTML is replaced with each result, so events are caught at the document.
const maxZoom = 32;
const stepZoom = 1.5;
const stepPixels = 40;
const pointers = new Map(); // that are down on a stage, by number
let gripsDivider = false;

function stateOf(compare) {
  return (compare.state ??= { zoom: 1, x: 0, y: 0 });
}

function show(compare) {
  const stage = compare.querySelector(".stage");
  const state = stateOf(compare);
  state.zoom = Math.min(Math.max(state.zoom, 1), Math.max(maxZoom, pixelZoom(compare)));
  state.x = Math.min(Math.max(state.x, stage.clientWidth * (1 - state.zoom)), 0);
  state.y = Math.min(Math.max(state.y, stage.clientHeight * (1 - state.zoom)), 0);
  compare.style.setProperty("--zoom", state.zoom);
  compare.style.setProperty("--x", `${state.x}px`);
  compare.style.setProperty("--y", `${state.y}px`);
  stage.classList.toggle("zoomed", state.zoom > 1);
}

// The zoom at which a pixel of the result is one of the screen.
function pixelZoom(compare) {
  const width = Number(compare.style.getPropertyValue("--width"));
  return width / (compare.querySelector(".stage").clientWidth * window.devicePixelRatio);
}

// Zooms so that the point (x, y) of the stage, by default its middle, stays where it is.
function zoomTo(compare, zoom, x, y) {
  const stage = compare.querySelector(".stage");
  const state = stateOf(compare);
  const before = state.zoom;
  x ??= stage.clientWidth / 2;
  y ??= stage.clientHeight / 2;
  state.zoom = Math.min(Math.max(zoom, 1), Math.max(maxZoom, pixelZoom(compare)));
  state.x = x - ((x - state.x) * state.zoom) / before;
  state.y = y - ((y - state.y) * state.zoom) / before;
  show(compare);
}

function moveBy(compare, x, y) {
  const state = stateOf(compare);
  state.x += x;
  state.y += y;
  show(compare);
}

function split(compare, percent) {
  const value = Math.min(Math.max(percent, 0), 100);
  compare.querySelector(".split").value = value;
  compare.style.setProperty("--split", `${value}%`);
}

function positionIn(stage, event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

document.addEventListener("input", (event) => {
  if (event.target.matches(".compare .split")) split(event.target.closest(".compare"), Number(event.target.value));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".compare [data-zoom]");
  if (!button) return;
  const compare = button.closest(".compare");
  const zoom = stateOf(compare).zoom;
  const wanted = { in: zoom * stepZoom, out: zoom / stepZoom, pixels: pixelZoom(compare), fit: 1 };
  zoomTo(compare, wanted[button.dataset.zoom]);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches(".compare .stage") || event.ctrlKey || event.metaKey || event.altKey) return;
  const compare = event.target.closest(".compare");
  const zoom = stateOf(compare).zoom;
  const actions = {
    "+": () => zoomTo(compare, zoom * stepZoom),
    "-": () => zoomTo(compare, zoom / stepZoom),
    0: () => zoomTo(compare, 1),
    1: () => zoomTo(compare, pixelZoom(compare)),
    ArrowLeft: () => moveBy(compare, stepPixels, 0),
    ArrowRight: () => moveBy(compare, -stepPixels, 0),
    ArrowUp: () => moveBy(compare, 0, stepPixels),
    ArrowDown: () => moveBy(compare, 0, -stepPixels),
  };
  const action = actions[event.key];
  if (!action || (zoom === 1 && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  action();
});

document.addEventListener(
  "wheel",
  (event) => {
    const stage = event.target.closest?.(".compare .stage");
    if (!stage || !(event.ctrlKey || event.metaKey)) return; // else a page would not scroll past it
    event.preventDefault();
    const compare = stage.closest(".compare");
    const { x, y } = positionIn(stage, event);
    zoomTo(compare, stateOf(compare).zoom * Math.exp(-event.deltaY / 200), x, y);
  },
  { passive: false },
);

document.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest?.(".compare .stage");
  if (!stage || event.button || event.target.closest(".face")) return; // a face is for clicks
  const compare = stage.closest(".compare");
  const { x } = positionIn(stage, event);
  const divider = (stage.clientWidth * Number(compare.querySelector(".split").value)) / 100;
  if (!pointers.size) gripsDivider = stateOf(compare).zoom === 1 || Math.abs(x - divider) < 24;
  pointers.set(event.pointerId, { stage, x: event.clientX, y: event.clientY });
  stage.setPointerCapture(event.pointerId);
});

document.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const { stage } = last;
  const compare = stage.closest(".compare");
  const others = [...pointers.entries()].filter(([number]) => number !== event.pointerId);
  if (others.length) {
    const [, other] = others[0];
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
    const now = { x: event.clientX, y: event.clientY };
    const { x, y } = positionIn(stage, { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 });
    zoomTo(compare, (stateOf(compare).zoom * distance(now)) / distance(last), x, y);
  } else if (gripsDivider) {
    split(compare, (positionIn(stage, event).x / stage.clientWidth) * 100);
  } else {
    moveBy(compare, event.clientX - last.x, event.clientY - last.y);
  }
  pointers.set(event.pointerId, { stage, x: event.clientX, y: event.clientY });
});

for (const name of ["pointerup", "pointercancel"])
  document.addEventListener(name, (event) => pointers.delete(event.pointerId));

// A new result is brought into view, and what is said of it is read out to those who do not see it.
let shown = null;
new MutationObserver(() => {
  document.querySelector("#facts")?.setAttribute("aria-live", "polite");
  const compare = document.querySelector(".compare");
  if (compare && compare !== shown) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    compare.scrollIntoView({ block: "nearest", behavior: isCalm ? "auto" : "smooth" });
  }
  shown = compare;
}).observe(document, { childList: true, subtree: true });
