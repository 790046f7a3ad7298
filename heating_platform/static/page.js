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
