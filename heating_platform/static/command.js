// The − and + keys beside a target value: one step, never past the limits.

function decimals(step) {
  return (String(step).split(".")[1] || "").length;
}

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-step]");
  if (!key) return;
  const field = key.parentElement.querySelector("input");
  const by = Number(field.dataset.by) || 1;
  const low = field.dataset.min === "" ? -Infinity : Number(field.dataset.min);
  const high = field.dataset.max === "" ? Infinity : Number(field.dataset.max);
  const now = Number(field.value.replace("−", "-"));
  const from = Number.isFinite(now) && field.value !== "" ? now + by * Number(key.dataset.step) : low;
  field.value = Math.min(high, Math.max(low, from)).toFixed(decimals(by));
});
