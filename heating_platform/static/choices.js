// Maker, device, model: what is chosen first narrows what follows, without asking the server.

const NAMES = ["maker", "device", "model"];

// `selects` are the three elements by name, `rows` what there is: {maker, device, model}.
export function depend(selects, rows) {
  const narrow = (wanted = {}) => {
    let left = rows;
    for (const name of NAMES) {
      const known = [...new Set(left.map((row) => row[name]))];
      const before = wanted[name] ?? selects[name].value;
      const value = known.includes(before) ? before : known.length === 1 ? known[0] : "";
      selects[name].replaceChildren(
        ...(known.length === 1 ? [] : [new Option("—", "")]),
        ...known.map((text) => new Option(text, text, false, text === value)),
      );
      selects[name].value = value;
      left = left.filter((row) => row[name] === value);
    }
  };
  for (const name of NAMES) selects[name].addEventListener("change", () => narrow());
  narrow();
  return narrow;
}

// On an ordinary page the choices lie in the page itself.
const told = document.getElementById("models");
if (told) {
  const selects = Object.fromEntries(
    NAMES.map((name) => [name, document.getElementById(`id_${name}`)]),
  );
  depend(selects, JSON.parse(told.textContent));
}
