// A table to type and paste into, as people know it from spreadsheets. It knows texts in rows and
// columns and nothing of what they mean.
//
// The cell that is active holds a real text field: Chinese is typed into it as anywhere else, and
// a screen reader says where it is. `rows` are never changed in place, so that going back is cheap.

import { make } from "./elements.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const STEPS_BACK = 200;

export class Sheet extends EventTarget {
  // columns: [{key, head, choices, tell}]; one with `tell(r, rows)` shows its answer, to be read only.
  // `grows`: rows may be added, up to `limit`. `blank`: how many cells a row has.
  constructor(table, { columns, rows, blank, limit, grows, firstRow, label }) {
    super();
    Object.assign(this, { table, columns, rows, blank, limit, grows, firstRow, label });
    this.at = this.from = { r: 0, c: columns.findIndex((column) => !column.tell) };
    this.past = [];
    this.future = [];
    this.marks = new Map();
    this.input = make("input", { autocomplete: "off", spellcheck: false });
    this.isTyping = this.isLeaving = false;
    this.listen();
    this.render();
  }

  // --- what is there ---

  get height() {
    return this.rows.length + (this.grows && this.rows.length < this.limit ? 1 : 0);
  }

  text(r, c) {
    const column = this.columns[c];
    return column.tell ? column.tell(r, this.rows) : (this.rows[r]?.[column.at] ?? "");
  }

  // Change cells: [[row, place in the row, text], …]; one step to go back.
  change(cells, isSameStep = false) {
    if (!isSameStep) this.remember();
    const touched = new Map();
    const rows = this.rows.slice();
    for (const [r, at, text] of cells) {
      while (rows.length <= r) rows.push(Array(this.blank).fill(""));
      if (!touched.has(r)) touched.set(r, (rows[r] = rows[r].slice()));
      rows[r][at] = text;
    }
    this.rows = rows;
    const body = this.table.tBodies[0];
    while (body.rows.length < this.height) body.append(this.line(body.rows.length));
    for (const r of touched.keys()) this.paint(r);
    this.tell();
  }

  // Other rows altogether; one step to go back.
  replace(rows) {
    this.remember();
    this.rows = rows;
    this.marks.clear();
    this.render();
    this.tell();
  }

  remember() {
    this.past.push(this.rows);
    if (this.past.length > STEPS_BACK) this.past.shift();
    this.future = [];
  }

  step(from, to) {
    if (!from.length) return;
    this.isTyping = false;
    to.push(this.rows);
    this.rows = from.pop();
    this.render();
    this.focus();
    this.tell();
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }

  // --- how it looks ---

  render() {
    const heads = this.columns.map((column) => make("th", { textContent: column.head, scope: "col" }));
    const head = make("thead", {}, make("tr", {}, make("td", { className: "corner" }), ...heads));
    const body = make("tbody");
    for (let r = 0; r < this.height; r += 1) body.append(this.line(r));
    this.input.remove();
    this.table.replaceChildren(head, body);
    this.at = this.within(this.at);
    this.from = this.within(this.from);
    this.show();
  }

  line(r) {
    const number = make("th", { scope: "row", textContent: this.firstRow() + r });
    const cells = this.columns.map(({ tell, kind, key }) =>
      make("td", { className: tell ? `told ${kind}` : `c-${key}` }),
    );
    const row = make("tr", {}, number, ...cells);
    cells.forEach((cell, c) => this.fill(cell, r, c));
    return row;
  }

  fill(cell, r, c) {
    const told = this.text(r, c);
    const mark = this.marks.get(`${r} ${this.columns[c].key}`);
    cell.classList.toggle("cell-bad", mark?.kind === "bad");
    cell.classList.toggle("cell-warn", mark?.kind === "warn");
    cell.title = mark?.reason ?? (typeof told === "string" && told.length > 14 ? told : "");
    if (cell.contains(this.input)) {
      if (!this.isTyping) this.input.value = told;
      this.input.setAttribute("aria-invalid", mark?.kind === "bad");
    } else if (told instanceof Node) cell.replaceChildren(told);
    else cell.textContent = told;
  }

  paint(r) {
    const row = this.table.tBodies[0].rows[r];
    if (row) this.columns.forEach((_, c) => this.fill(row.cells[c + 1], r, c));
  }

  cell(r, c) {
    return this.table.tBodies[0].rows[r]?.cells[c + 1];
  }

  // Mark cells: Map of "row column" to {kind, reason}; both are places in this table.
  mark(marks) {
    const stale = [...this.marks.keys(), ...marks.keys()];
    this.marks = marks;
    for (const r of new Set(stale.map((key) => Number(key.split(" ")[0])))) this.paint(r);
  }

  // What the columns say that are told may have changed in every row.
  paintTold() {
    const places = this.columns.flatMap(({ tell }, c) => (tell ? [c] : []));
    for (let r = 0; r < this.height; r += 1) for (const c of places) this.fill(this.cell(r, c), r, c);
  }

  // --- where one is ---

  within({ r, c }) {
    return {
      r: Math.max(0, Math.min(r, this.height - 1)),
      c: Math.max(0, Math.min(c, this.columns.length - 1)),
    };
  }

  get range() {
    const [top, bottom] = [this.at.r, this.from.r].sort((a, b) => a - b);
    const [left, right] = [this.at.c, this.from.c].sort((a, b) => a - b);
    return { top, bottom, left, right };
  }

  go(r, c, isExtending = false) {
    this.leave();
    this.at = this.within({ r, c });
    if (!isExtending) this.from = this.at;
    this.show();
    this.focus();
  }

  // What was typed is in the rows already; only its cell has to show it as text again.
  leave() {
    this.isTyping = this.isLeaving = false;
    const cell = this.input.parentElement;
    this.input.remove();
    if (cell) this.fill(cell, cell.parentElement.sectionRowIndex, cell.cellIndex - 1);
  }

  show() {
    for (const cell of this.table.querySelectorAll("td.in,td.at")) cell.classList.remove("in", "at");
    const { top, bottom, left, right } = this.range;
    if (top !== bottom || left !== right) {
      for (let r = top; r <= bottom; r += 1) {
        for (let c = left; c <= right; c += 1) this.cell(r, c)?.classList.add("in");
      }
    }
    const { r, c } = this.at;
    const cell = this.cell(r, c);
    if (!cell) return;
    cell.classList.add("at");
    const column = this.columns[c];
    const mark = this.marks.get(`${r} ${column.key}`);
    this.input.value = typeof this.text(r, c) === "string" ? this.text(r, c) : "";
    this.input.readOnly = Boolean(column.tell);
    this.input.setAttribute("aria-label", `${column.head} ${this.label(this.firstRow() + r)}`);
    this.input.setAttribute("aria-invalid", mark?.kind === "bad");
    const choices = column.choices?.(r, this.rows);
    if (choices) this.input.setAttribute("list", choices);
    else this.input.removeAttribute("list");
    if (typeof this.text(r, c) === "string") cell.replaceChildren(this.input);
    else cell.append(this.input);
  }

  focus() {
    this.input.focus({ preventScroll: true });
    this.input.select();
    this.input.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // --- hands ---

  listen() {
    this.table.addEventListener("mousedown", (event) => this.pressed(event));
    this.table.addEventListener("mouseover", (event) => this.dragged(event));
    this.table.addEventListener("dblclick", () => this.type());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => this.typed());
    for (const name of ["copy", "cut"]) {
      this.input.addEventListener(name, (event) => this.copied(event, name === "cut"));
    }
    this.input.addEventListener("paste", (event) => this.pasted(event));
  }

  place(event) {
    const cell = event.target.closest("td,th");
    const row = cell?.closest("tbody tr");
    return row ? { r: row.sectionRowIndex, c: cell.cellIndex - 1 } : null;
  }

  pressed(event) {
    const place = this.place(event);
    if (!place || event.button !== 0) return;
    if (event.target === this.input) {
      if (!event.shiftKey && document.activeElement === this.input) this.type(); // the caret goes there
      return;
    }
    event.preventDefault();
    if (place.c >= 0) return this.go(place.r, place.c, event.shiftKey);
    this.go(place.r, this.columns.length - 1, event.shiftKey);
    this.from = { r: event.shiftKey ? this.from.r : place.r, c: 0 };
    this.show();
    this.focus();
  }

  dragged(event) {
    const place = event.buttons === 1 && !this.isTyping && this.place(event);
    if (!place || place.c < 0 || document.activeElement !== this.input) return;
    if (place.r !== this.at.r || place.c !== this.at.c) this.go(place.r, place.c, true);
  }

  type() {
    if (this.isTyping || this.input.readOnly) return;
    this.isTyping = true;
    this.before = this.rows;
  }

  typed() {
    const isSameStep = this.isTyping && this.rows !== this.before;
    this.type();
    const { r, c } = this.at;
    this.change([[r, this.columns[c].at, this.input.value]], isSameStep);
  }

  key(event) {
    if (event.isComposing) return;
    const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase();
    if (command === "z") return this.did(event, () => (event.shiftKey ? this.redo() : this.undo()));
    if (command === "y") return this.did(event, () => this.redo());
    if (command === "a" && !this.isTyping) return this.did(event, () => this.all());
    if (command && !["Home", "End"].includes(event.key)) return;
    const { r, c } = this.at;
    const back = event.shiftKey ? -1 : 1;
    if (event.key === "Tab") this.tab(event, back);
    else if (event.key === "Enter") this.did(event, () => this.go(r + back, c));
    else if (event.key === "Escape") this.escape(event);
    else if (event.key === "F2") this.did(event, () => this.type());
    else if (event.key === "Delete" && !this.isTyping) this.did(event, () => this.clear());
    else if (event.key === "PageDown" || event.key === "PageUp") {
      this.did(event, () => this.go(r + (event.key === "PageDown" ? 15 : -15), c, event.shiftKey));
    } else if (!this.isTyping && event.key === "Home") this.did(event, () => this.go(command ? 0 : r, 0));
    else if (!this.isTyping && event.key === "End") {
      this.did(event, () => this.go(command ? this.height - 1 : r, this.columns.length - 1));
    } else if (MOVES[event.key]) this.arrow(event);
  }

  did(event, act) {
    event.preventDefault();
    act();
  }

  arrow(event) {
    const [down, right] = MOVES[event.key];
    const hasList = this.input.hasAttribute("list");
    if (this.isTyping && (right || hasList)) return; // within the text, or its suggestions
    this.did(event, () => this.go(this.at.r + down, this.at.c + right, event.shiftKey));
  }

  // The last cell lets the key out of the table, and so does Escape before it.
  tab(event, back) {
    if (this.isLeaving) {
      this.isLeaving = false;
      return;
    }
    let [r, c] = [this.at.r, this.at.c];
    do {
      c += back;
      if (c < 0 || c >= this.columns.length) {
        r += back;
        c = back > 0 ? 0 : this.columns.length - 1;
      }
    } while (r >= 0 && r < this.height && this.columns[c].tell);
    if (r < 0 || r >= this.height) return;
    this.did(event, () => this.go(r, c));
  }

  escape(event) {
    if (!this.isTyping) {
      this.isLeaving = true;
      return;
    }
    const isChanged = this.rows !== this.before;
    this.isTyping = false;
    if (isChanged) this.did(event, () => this.undo());
    else this.focus();
  }

  all() {
    this.from = { r: 0, c: 0 };
    this.at = this.within({ r: this.rows.length - 1, c: this.columns.length - 1 });
    this.show();
    this.focus();
  }

  cellsOf({ top, bottom, left, right }) {
    const found = [];
    for (let r = top; r <= bottom; r += 1) {
      const row = [];
      for (let c = left; c <= right; c += 1) if (!this.columns[c].tell) row.push([r, c]);
      found.push(row);
    }
    return found;
  }

  clear() {
    const cells = this.cellsOf(this.range).flat();
    const there = cells.filter(([r]) => r < this.rows.length);
    this.change(there.map(([r, c]) => [r, this.columns[c].at, ""]));
  }

  copied(event, isCut) {
    if (this.isTyping && this.input.selectionStart !== this.input.selectionEnd) return;
    const rows = this.cellsOf(this.range).map((row) => row.map(([r, c]) => quoted(this.text(r, c))));
    event.clipboardData.setData("text/plain", rows.map((row) => row.join("\t")).join("\n"));
    event.preventDefault();
    if (isCut) this.clear();
  }

  pasted(event) {
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n");
    if (this.isTyping && !/[\t\n]/.test(text)) return;
    event.preventDefault();
    this.isTyping = false;
    this.put(parsed(text.replace(/\n$/, "")));
  }

  // Put rows of texts down at the upper left of what is chosen; one alone fills all of it.
  put(rows) {
    const { top, left, bottom, right } = this.range;
    const open = this.columns.map((column, c) => [column, c]).filter(([column]) => !column.tell);
    const columns = open.filter(([, c]) => c >= left).map(([column]) => column.at);
    const fits = this.grows ? this.limit : this.rows.length;
    const cells = [];
    if (rows.length === 1 && rows[0].length === 1) {
      for (const [r, c] of this.cellsOf({ top, left, bottom, right }).flat()) {
        cells.push([r, this.columns[c].at, rows[0][0]]);
      }
    } else {
      rows.slice(0, fits - top).forEach((row, r) => {
        row.slice(0, columns.length).forEach((value, n) => cells.push([top + r, columns[n], value]));
      });
    }
    this.change(cells);
    if (top + rows.length > fits) this.dispatchEvent(new Event("full"));
    this.focus();
  }

  // --- rows ---

  insert() {
    if (this.rows.length >= this.limit) return this.dispatchEvent(new Event("full"));
    const { top } = this.range;
    const blank = Array(this.blank).fill("");
    this.replace([...this.rows.slice(0, top), blank, ...this.rows.slice(top)]);
    this.go(top, this.at.c);
  }

  remove() {
    const { top, bottom } = this.range;
    this.replace(this.rows.filter((_, r) => r < top || r > bottom));
    this.go(top, this.at.c);
  }

  double() {
    const { top } = this.range;
    if (top >= this.rows.length) return;
    if (this.rows.length >= this.limit) return this.dispatchEvent(new Event("full"));
    this.replace([...this.rows.slice(0, top + 1), this.rows[top], ...this.rows.slice(top + 1)]);
    this.go(top + 1, this.at.c);
  }
}

// A cell as spreadsheets copy it, and rows of such cells read back.
function quoted(text) {
  return /[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function parsed(text) {
  const rows = [[]];
  const form = /(?:"((?:[^"]|"")*)"|([^\t\n]*))(\t|\n|$)/y;
  for (;;) {
    const [, inQuotes, plain, end] = form.exec(text);
    rows.at(-1).push(inQuotes === undefined ? plain : inQuotes.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
    if (end === "") return rows;
  }
}
