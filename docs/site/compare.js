// Lays the two pictures of each pair over each other, with a divider to drag or to move by the arrow keys.
// Without this they stand one below the other.
for (const pair of document.querySelectorAll(".compare")) {
  const [before, after] = pair.querySelectorAll("img");
  const divider = Object.assign(document.createElement("input"), { type: "range", value: 50 });
  divider.ariaLabel = `Share of the first picture. First: ${before.alt}. Second: ${after.alt}`;
  divider.addEventListener("input", () => pair.style.setProperty("--split", `${divider.value}%`));
  pair.classList.add("compare-split");
  pair.append(divider);
}
