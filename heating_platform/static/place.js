// The marked cell of the piece of the sheet comes into sight, also where the screen is narrow.

function show() {
  const cell = document.querySelector("#place .here");
  const view = cell?.closest(".scroll");
  if (view) view.scrollLeft = cell.offsetLeft - (view.clientWidth - cell.offsetWidth) / 2;
}
show();
document.addEventListener("htmx:afterSwap", show);
