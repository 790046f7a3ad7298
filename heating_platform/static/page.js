// What every page does: a changed filter asks again, an open menu closes when left.

for (const form of document.querySelectorAll("form[data-ask-on-change]")) {
  const sealed = new Map();
  form.addEventListener("change", () => form.requestSubmit());
  // Names and phones do not belong into the address: the platform seals them first.
  form.addEventListener("submit", async (event) => {
    const words = [...form.querySelectorAll("[data-words]")].filter((input) => input.value.trim());
    if (!words.length) return;
    event.preventDefault();
    if (form.dataset.asking) return; // Enter both changes and submits
    form.dataset.asking = "1";
    for (const input of words) {
      const text = await sealedWords(input);
      if (text === null) return location.reload(); // signed out meanwhile
      sealed.set(input.name, text);
    }
    delete form.dataset.asking;
    form.submit();
  });
  form.addEventListener("formdata", (event) => {
    for (const [name, text] of sealed) event.formData.set(name, text);
    sealed.clear();
    // An empty condition does not belong into the address either.
    for (const [name, value] of [...event.formData]) {
      if (value === "") event.formData.delete(name);
    }
  });
}

async function sealedWords(input) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  const body = new URLSearchParams({ words: input.value });
  const asked = { method: "POST", headers, body, redirect: "manual" };
  const answer = await fetch(input.dataset.words, asked).catch(() => null);
  return answer?.ok ? answer.text() : null;
}

// A number that was asked for to be dialled (the answer's HX-Trigger).
document.body.addEventListener("dial", (event) => {
  location.href = `tel:${event.detail.value}`;
});

for (const menu of document.querySelectorAll("details.menu, details.columns")) {
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

// On a phone the entry of this page comes into sight.
const here = document.querySelector(".topbar nav a[aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft;
