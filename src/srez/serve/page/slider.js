// The handle of Gradio's image slider ignores the keyboard. This makes it focusable, and lets the left and right
// arrow keys drag it.
const handleSelector = "#slider [data-testid=slider]";
const pixelsPerKey = { ArrowLeft: -10, ArrowRight: 10 };

function drag(handle, pixels) {
  const { x, y, width, height } = handle.getBoundingClientRect();
  const start = { bubbles: true, view: window, clientX: x + width / 2, clientY: y + height / 2 };
  const end = { ...start, clientX: start.clientX + pixels };
  handle.dispatchEvent(new MouseEvent("mousedown", start));
  window.dispatchEvent(new MouseEvent("mousemove", end));
  window.dispatchEvent(new MouseEvent("mouseup", end));
}

document.addEventListener("keydown", (event) => {
  const handle = document.activeElement;
  const pixels = pixelsPerKey[event.key];
  if (!pixels || !handle.matches(handleSelector)) return;
  event.preventDefault();
  drag(handle, pixels);
});

new MutationObserver(() => {
  const handle = document.querySelector(handleSelector);
  if (!handle || handle.tabIndex >= 0) return;
  handle.tabIndex = 0;
  handle.ariaLabel = "Divider between before and after: move it with the left and right arrow keys";
}).observe(document, { childList: true, subtree: true });
