// Beside a result: a switch for the layer that shows how sure it is, and other guesses to look at in its place.

function showLayer(compare) {
  const layer = compare.querySelector(".layer");
  const box = compare.querySelector("[data-sure]");
  if (layer) layer.hidden = !box.checked || box.disabled;
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".compare [data-sure]")) showLayer(event.target.closest(".compare"));
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".guesses [data-guess]");
  if (!button) return;
  const guesses = button.closest(".guesses");
  const compare = guesses.parentElement.querySelector(".compare");
  const { guess, name } = button.dataset;
  const label = button.textContent;
  for (const other of guesses.querySelectorAll("[data-guess]")) other.setAttribute("aria-pressed", other === button);
  const shown = compare.querySelector(".after img:not(.layer)");
  shown.src = guess;
  shown.alt = name ? `After: ${label}, another guess of srez` : "After: the result of srez";
  compare.querySelector(".tag.right").textContent = name ? label : "after";
  const box = compare.querySelector("[data-sure]");
  if (box) box.disabled = Boolean(name); // it is about the result
  showLayer(compare);
  const save = guesses.querySelector(".save");
  save.hidden = !name;
  save.href = guess;
  save.download = name;
  save.textContent = `Download ${name}`;
});
