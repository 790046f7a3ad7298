// The form of one installation: step by step, kept letter by letter, checked without the server.

import { depend } from "./choices.js";
import { at, make } from "./elements.js";
import { newUid } from "./queue.js";

const FIELDS = [
  "maker", "device", "model", "factory_number", "transmitter_number", "address",
  "network_address", "latitude", "longitude", "position_source", "accuracy_m", "heated_area",
  "installed_on", "note",
];
const KEEP_AFTER_MS = 400;
const PHOTO_PX = 1600;
const GOOD_M = 50;

export class Form {
  constructor({ say, onLeave, onKeep, onSave }) {
    Object.assign(this, { say, onLeave, onKeep, onSave });
    this.form = at("form");
    this.steps = [...this.form.querySelectorAll("[data-step]")];
    this.selects = { maker: at("maker"), device: at("device"), model: at("model") };
    this.isOpen = false;
    this.form.addEventListener("input", () => this.changed());
    this.form.addEventListener("change", () => this.changed());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.steps.forEach((step, n) => {
      step.querySelector(".fold").addEventListener("click", () => this.turn(n));
    });
    at("photo").addEventListener("change", () => this.addPhotos());
    at("locate").addEventListener("click", () => this.locate());
    for (const label of this.form.querySelectorAll("[data-scan]")) {
      label.querySelector("input").addEventListener("change", (event) => this.scan(label, event));
    }
    for (const name of ["latitude", "longitude"]) {
      at(name).addEventListener("input", () => this.typedPosition());
    }
  }

  // -- opening and closing --------------------------------------------------------------------

  // `home` from the list, `models` to choose from, `kept` an entry or draft of before.
  open(home, models, kept) {
    if (this.isOpen && this.home.number === home.number) return;
    this.home = home;
    this.isOpen = true;
    this.uid = kept?.uid ?? newUid();
    this.mode = kept?.mode ?? "";
    this.photos = kept?.photos ?? [];
    this.choose = depend(this.selects, at("existing"), models);
    this.fill(kept?.values ?? this.first());
    at("reason").value = kept?.reason ?? "";
    this.showModes();
    at("who-name").textContent = `${home.number}　${home.name}`;
    at("who-place").textContent = `${home.place} ${home.door}`;
    this.showPhotos();
    this.turn(0);
    this.showMessages(home.number, kept?.messages ?? {});
  }

  close() {
    this.keepNow();
    this.isOpen = false;
    for (const photo of this.photos ?? []) URL.revokeObjectURL(photo.shown);
  }

  async leave() {
    if ((await this.keepNow()) !== false) this.onLeave();
  }

  // It is kept as an entry: nothing of the form is left to keep.
  done() {
    clearTimeout(this.later);
    this.isOpen = false;
  }

  // What the list knows already of a household without record.
  first() {
    const today = new Date().toLocaleDateString("sv");
    return { ...this.home.model, address: "1", heated_area: this.home.area, installed_on: today };
  }

  fill(values) {
    for (const name of FIELDS) if (!this.selects[name]) at(name).value = values[name] ?? "";
    at("existing").checked = Boolean(values.existing);
    this.choose(values);
    at("located").textContent = "";
  }

  values() {
    const found = Object.fromEntries(FIELDS.map((name) => [name, at(name).value.trim()]));
    if (at("existing").checked) found.existing = "on";
    return { ...found, many: ["replace", "add"].includes(this.mode) ? this.mode : "" };
  }

  // -- a household that has a record: correct it, replace the unit, add one --------------------

  showModes() {
    const records = this.home.records ?? [];
    at("mode").hidden = !records.length;
    const choices = records.map((record) => [record.uid, this.say("correct", { unit: record.title })]);
    choices.push(["replace", this.say("replace")], ["add", this.say("add")]);
    if (records.length && !this.mode) this.setMode(records[0].uid);
    at("modes").replaceChildren(
      ...choices.map(([value, text]) => {
        const radio = make("input", { type: "radio", name: "mode", value, checked: value === this.mode });
        radio.className = "visually-hidden";
        radio.addEventListener("change", () => this.setMode(value));
        return make("label", { className: "chip radio" }, radio, text);
      }),
    );
    at("why").hidden = !this.corrected;
  }

  get corrected() {
    return (this.home.records ?? []).find((record) => record.uid === this.mode);
  }

  setMode(mode) {
    this.mode = mode;
    const record = this.corrected;
    this.uid = record ? record.uid : newUid();
    this.fill(record ? record.values : this.first());
    at("why").hidden = !record;
  }

  // -- steps ----------------------------------------------------------------------------------

  turn(n) {
    this.step = Math.min(Math.max(n, 0), this.steps.length - 1);
    this.steps.forEach((step, index) => {
      const isOpen = index === this.step;
      step.classList.toggle("now", isOpen);
      step.querySelector(".in").hidden = !isOpen;
      step.querySelector(".fold").setAttribute("aria-expanded", isOpen);
    });
    this.showState();
    at("main").scrollTop = 0;
  }

  showState() {
    const last = this.steps.length - 1;
    at("step-words").textContent = this.say("step", { n: this.step + 1, all: last + 1 });
    at("step-bar").setAttribute("width", `${(100 * (this.step + 1)) / (last + 1)}%`);
    const filled = FIELDS.filter((name) => name !== "accuracy_m" && at(name).value).length;
    at("step-filled").textContent = this.say("filled", { n: filled });
    this.steps.forEach((step, index) => this.showFold(step, index));
    const save = navigator.onLine ? "save" : "save_offline";
    this.act("primary", this.step < last ? "next" : save, () => this.forward());
    this.act("left", "keep", () => this.leave());
    this.act("right", "back", () => (this.step ? this.turn(this.step - 1) : this.leave()));
  }

  showFold(step, index) {
    const shape = this.hasMessages(step) ? "bad" : index === this.step ? "run" : index < this.step ? "ok" : "wait";
    step.querySelector(".st").className = `st st-${shape}`;
    const shown = step.dataset.step.split(" ").map((id) => at(id)?.value).filter(Boolean);
    if (index === this.steps.length - 1 || index >= this.step) shown.length = 0;
    step.querySelector(".r").textContent = shown.join(" ");
  }

  act(id, word, act) {
    at(id).textContent = this.say(word);
    at(id).disabled = false;
    at(id).onclick = act;
  }

  async forward() {
    if (this.step < this.steps.length - 1) return this.turn(this.step + 1);
    const messages = this.mistakes();
    this.showMessages(this.home.number, messages);
    if (Object.keys(messages).length) return undefined;
    return this.onSave({ ...this.content(), number: this.home.number });
  }

  content() {
    const { number, name, place, door, area, latitude, longitude, records, model } = this.home;
    return {
      uid: this.uid,
      mode: this.mode,
      reason: at("why").hidden ? "" : at("reason").value.trim(),
      values: this.values(),
      photos: this.photos.map(({ blob }) => ({ blob })),
      home: { number, name, place, door, area, latitude, longitude, records, model },
    };
  }

  // -- checking without the server ------------------------------------------------------------

  mistakes() {
    const said = this.values();
    const found = {};
    if (!said.maker || !said.model) found.model = [this.say("needs_model")];
    if (!said.transmitter_number && !said.factory_number) {
      found.transmitter_number = [this.say("needs_number")];
    }
    if (!said.heated_area) found.heated_area = [this.say("needs_area")];
    if (!said.installed_on) found.installed_on = [this.say("needs_day")];
    if (this.corrected && !at("reason").value.trim()) found.reason = [this.say("needs_reason")];
    return found;
  }

  // Messages by field as the server or `mistakes` tells them; the first such step opens.
  showMessages(number, messages) {
    if (!this.isOpen || this.home.number !== number) return;
    if (messages.reason) at("why").hidden = false;
    if (messages.photo?.[0] === "413") messages.photo = [this.say("too_large")];
    const unplaced = new Set(Object.keys(messages));
    for (const place of this.form.querySelectorAll("[data-wrong]")) {
      const name = place.dataset.wrong;
      place.textContent = (messages[name] ?? []).join(" ");
      place.hidden = !place.textContent;
      at(name)?.classList.toggle("is-wrong", !place.hidden);
      unplaced.delete(name);
    }
    const rest = [...unplaced].flatMap((name) => messages[name]);
    at("notes").querySelector(".of-form")?.remove();
    if (rest.length) {
      const text = make("p", { textContent: rest.join(" ") });
      at("notes").append(make("div", { className: "note bad of-form" }, text));
    }
    const first = this.steps.findIndex((step) => this.hasMessages(step));
    if (first >= 0) this.turn(first);
  }

  hasMessages(step) {
    return [...step.querySelectorAll("[data-wrong]")].some((place) => !place.hidden);
  }

  // An IMEI's last digit proves the others (Luhn); a wrong one is only a reminder.
  checkDigits(name) {
    const digits = at(name).value.trim();
    const place = this.form.querySelector(`[data-said="${name}"]`);
    const isWrong = name === "transmitter_number" && /^\d{15}$/.test(digits) && !luhn(digits);
    place.hidden = !isWrong;
    place.textContent = isWrong ? this.say("check_digit") : "";
  }

  // -- keeping --------------------------------------------------------------------------------

  changed() {
    if (!this.isOpen) return;
    this.isChanged = true;
    this.checkDigits("transmitter_number");
    this.showState();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.keepNow(), KEEP_AFTER_MS);
  }

  // Answers false where the phone has no room for it.
  async keepNow() {
    clearTimeout(this.later);
    if (!this.isOpen || !this.isChanged) return true;
    this.isChanged = false;
    const isKept = await this.onKeep(this.home.number, this.content());
    if (!isKept) this.isChanged = true;
    return isKept;
  }

  // -- position, camera, scan -----------------------------------------------------------------

  locate() {
    const told = at("located");
    if (!window.isSecureContext || !navigator.geolocation) {
      told.textContent = this.say("insecure");
      return;
    }
    told.textContent = this.say("locating");
    const options = { enableHighAccuracy: true, timeout: 30000, maximumAge: 0 };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        at("latitude").value = coords.latitude.toFixed(6);
        at("longitude").value = coords.longitude.toFixed(6);
        at("accuracy_m").value = coords.accuracy.toFixed(1);
        at("position_source").value = "browser";
        const n = Math.round(coords.accuracy);
        told.textContent = this.say(n <= GOOD_M ? "located" : "located_badly", { n });
        this.changed();
      },
      (why) => {
        told.textContent = this.say(why.code === 1 ? "not_allowed" : "not_located");
      },
      options,
    );
  }

  typedPosition() {
    at("accuracy_m").value = "";
    if (at("position_source").value === "browser") at("position_source").value = "";
  }

  async addPhotos() {
    const room = Number(at("app").dataset.photos) - this.photos.length;
    for (const file of [...at("photo").files].slice(0, room)) {
      this.photos.push({ blob: await shrunk(file) });
    }
    at("photo").value = "";
    this.showPhotos();
    this.changed();
  }

  showPhotos() {
    const all = at("app").dataset.photos;
    if (this.photos.length) {
      at("photo-said").textContent = this.say("photos", { n: this.photos.length, all });
    }
    at("photos").replaceChildren(
      ...this.photos.map((photo, n) => {
        photo.shown ??= URL.createObjectURL(photo.blob);
        const name = this.say("photo", { n: n + 1 });
        const drop = make("button", { type: "button", className: "aslink", textContent: this.say("remove") });
        drop.setAttribute("aria-label", `${this.say("remove")} ${name}`);
        drop.addEventListener("click", () => {
          this.photos.splice(n, 1);
          this.showPhotos();
          this.changed();
        });
        return make("li", {}, make("img", { src: photo.shown, alt: name }), drop);
      }),
    );
  }

  // A photo of the bar code: works with the ordinary file input wherever the browser can read one.
  async scan(label, event) {
    const name = label.dataset.scan;
    const file = event.target.files[0];
    event.target.value = "";
    const place = this.form.querySelector(`[data-said="${name}"]`);
    place.hidden = false;
    if (!("BarcodeDetector" in window)) {
      place.textContent = this.say("no_scanner");
      return;
    }
    const codes = await createImageBitmap(file)
      .then((image) => new BarcodeDetector().detect(image))
      .catch(() => []);
    if (!codes.length) {
      place.textContent = this.say("not_scanned");
      return;
    }
    at(name).value = codes[0].rawValue.trim();
    this.changed();
    if (place.hidden) {
      place.hidden = false;
      place.textContent = this.say("scanned");
    }
  }
}

function luhn(digits) {
  const sum = [...digits].reduce((total, digit, n) => {
    const value = Number(digit) * (1 + (n % 2));
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return sum % 10 === 0;
}

// A photo small enough for a weak signal, with the time and place that the camera wrote into it; as
// it came where the browser cannot draw it. Turning it upright is left to whoever shows it.
async function shrunk(file) {
  try {
    const image = await createImageBitmap(file, { imageOrientation: "none" });
    const scale = Math.min(1, PHOTO_PX / Math.max(image.width, image.height));
    const canvas = make("canvas", {
      width: Math.round(image.width * scale),
      height: Math.round(image.height * scale),
    });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    if (!blob || blob.size >= file.size) return file;
    const exif = await exifOf(file);
    return new Blob([blob.slice(0, 2), exif, blob.slice(2)], { type: "image/jpeg" });
  } catch {
    return file;
  }
}

// The segment of a JPEG in which the camera says when and where; empty where there is none.
async function exifOf(file) {
  const view = new DataView(await file.slice(0, 131072).arrayBuffer());
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return new Blob();
  for (let place = 2; place + 10 < view.byteLength && view.getUint8(place) === 0xff; ) {
    const length = 2 + view.getUint16(place + 2);
    const isExif = view.getUint16(place) === 0xffe1 && view.getUint32(place + 4) === 0x45786966;
    if (isExif) return file.slice(place, place + length);
    place += length;
  }
  return new Blob();
}
