// The form's position: taken from the phone where the browser allows it, said clearly where not.

for (const box of document.querySelectorAll("[data-position]")) {
  const form = box.closest("form");
  const said = box.querySelector("[data-said]");
  const [latitude, longitude] = ["latitude", "longitude"].map((name) => form.elements[name]);
  const accuracy = form.elements.accuracy_m;
  const inWechat = /MicroMessenger/i.test(navigator.userAgent);

  const choose = (source) => {
    const chip = form.querySelector(`[name=position_source][value=${source}]`);
    if (chip) chip.checked = true;
  };
  const take = ({ coords }) => {
    latitude.value = coords.latitude.toFixed(6);
    longitude.value = coords.longitude.toFixed(6);
    accuracy.value = coords.accuracy.toFixed(1);
    choose(inWechat ? "wechat" : "browser");
    const words = said.dataset.done.replace("%", Math.round(coords.accuracy));
    said.textContent = inWechat ? `${words} ${said.dataset.wechat}` : words;
  };
  const fail = ({ code }) => {
    said.textContent = code === 1 ? said.dataset.denied : said.dataset.failed;
  };

  box.querySelector("[data-locate]").addEventListener("click", () => {
    if (!window.isSecureContext || !navigator.geolocation) {
      said.textContent = said.dataset.plain;
      return;
    }
    navigator.geolocation.getCurrentPosition(take, fail, {
      enableHighAccuracy: true,
      timeout: 20000,
      maximumAge: 0,
    });
  });
  for (const field of [latitude, longitude]) {
    field.addEventListener("input", () => {
      accuracy.value = ""; // what is typed over was not measured here
      // Both at once, as map pages hand them out: the larger one is the longitude.
      const pair = field.value.match(/^\s*(\d{2,3}\.\d+)\s*[,，、\s]\s*(\d{2,3}\.\d+)\s*$/);
      if (pair) [latitude.value, longitude.value] = pair.slice(1).sort((a, b) => a - b);
    });
  }
}
