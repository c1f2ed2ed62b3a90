// Boxes around the faces of a result: a switch hides them, and a click on one is a click on the choice of its face.

document.addEventListener("change", (event) => {
  if (!event.target.matches(".compare [data-boxes]")) return;
  event.target.closest(".compare").querySelector(".faces").hidden = !event.target.checked;
});

document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".compare .face");
  if (box) document.querySelector(`#found input[name="${box.dataset.face}"]`)?.click();
});
