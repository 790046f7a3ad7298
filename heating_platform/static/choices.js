// Maker, device, model: what is chosen first narrows what follows, without asking the server.

const NAMES = ["maker", "device", "model"];

// `selects` are the three elements by name, `rows` what there is: {maker, device, model, admitted};
// what is not admitted is offered where the box `existing` is ticked, or where it stands already.
export function depend(selects, existing, rows) {
  const narrow = (wanted = {}) => {
    const stands = (row) => NAMES.every((name) => row[name] === (wanted[name] ?? selects[name].value));
    let left = rows.filter((row) => row.admitted || existing.checked || stands(row));
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
  for (const element of [...NAMES.map((name) => selects[name]), existing]) {
    element.onchange = () => narrow();
  }
  narrow();
  return narrow;
}

// On an ordinary page the choices lie in the page itself.
const told = document.getElementById("models");
if (told) {
  const selects = Object.fromEntries(
    NAMES.map((name) => [name, document.getElementById(`id_${name}`)]),
  );
  depend(selects, document.getElementById("id_existing"), JSON.parse(told.textContent));
}
