// What every page does: a changed filter asks again, an open menu closes when left.

for (const form of document.querySelectorAll("form[data-ask-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
  // An empty condition does not belong into the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) {
      if (value === "") event.formData.delete(name);
    }
  });
}

// A number that was asked for to be dialled (the answer's HX-Trigger).
document.body.addEventListener("dial", (event) => {
  location.href = `tel:${event.detail.value}`;
});

for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

// Who leaves while the installer's page still holds entries is asked first; his list goes with him.
for (const form of document.querySelectorAll("form[data-unsent]")) {
  form.addEventListener("submit", async (event) => {
    if (!localStorage.getItem("installing")) return;
    event.preventDefault();
    const queue = await import("./queue.js");
    const n = (await queue.entriesOf(await queue.owner())).length;
    if (n && !window.confirm(form.dataset.unsent.replace("{n}", n))) return;
    await queue.leave();
    form.submit();
  });
}
