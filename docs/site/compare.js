// Puts a divider below each pair of pictures, before and after.
for (const compare of document.querySelectorAll(".compare")) {
  const divider = Object.assign(document.createElement("input"), { type: "range", value: 50 });
  divider.ariaLabel = "Divider between before and after";
  divider.addEventListener("input", () => compare.style.setProperty("--split", `${divider.value}%`));
  compare.append(divider);
}
