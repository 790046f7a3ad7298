// Ticking many rows of a list: all of the page, or from one to another with the shift key.

for (const all of document.querySelectorAll("[data-tick-all]")) {
  const boxes = [...document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)];
  const told = all.form?.querySelector("[data-ticked]");
  let last = -1;

  const tell = () => {
    const n = boxes.filter((box) => box.checked).length;
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    if (told) told.textContent = n ? `${n} / ${boxes.length}` : "";
  };

  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  boxes.forEach((box, here) => {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last >= 0) {
        const [from, to] = [Math.min(last, here), Math.max(last, here)];
        for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
      }
      last = here;
      tell();
    });
  });
  tell();
}
