// A file dropped on the form is as good as one that was picked; a form is sent once.

for (const area of document.querySelectorAll("[data-drop]")) {
  const input = area.querySelector("input[type=file]");
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.classList.add("over");
  });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
  area.closest("form").addEventListener("submit", (event) => {
    const button = event.target.querySelector("button.btn-primary");
    setTimeout(() => (button.disabled = true));
  });
}
// Back from the next page by the browser's own key: the button works again.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("#upload button[disabled]")) button.disabled = false;
});
