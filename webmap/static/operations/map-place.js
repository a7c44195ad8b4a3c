/* The small map of the work list: numbered candidates, the circle of the chosen one, a pin to drag.
 *
 * Data: the radio buttons of the form beside the map carry data-candidate with data-number, data-lat, data-lon and
 * data-radius (metres); the one with data-pin stands for the pin, whose place is in the fields lat and lon. Choosing in
 * the form moves the map, dragging the pin or pressing a number chooses in the form. */
"use strict";

function placePicker(map) {
  const box = map.getContainer(), form = document.querySelector("[data-settle]");
  const choices = [...form.querySelectorAll("[data-candidate]")], pinChoice = form.querySelector("[data-pin]"), shown = form.querySelector("[data-position]");
  const {lat, lon} = form.elements;
  const number = (field) => { const text = field.value.trim().replace("−", "-"), value = Number(text); return text === "" || Number.isNaN(value) ? null : value; };
  const at = (choice) => mapParts.near(map, Number(choice.dataset.lat), Number(choice.dataset.lon));
  const words = (point) => `${Math.abs(point.lat).toFixed(5)} ${point.lat < 0 ? "S" : "N"}, ${Math.abs(point.lng).toFixed(5)} ${point.lng < 0 ? "W" : "E"}`;

  const marks = choices.map((choice) => {
    const mark = L.marker(at(choice), {keyboard: true, zIndexOffset: 2000 - 10 * Number(choice.dataset.number), title: `Place ${choice.dataset.number}`, alt: `Place ${choice.dataset.number}`,
      icon: L.divIcon({className: "map-candidate", html: choice.dataset.number, iconSize: [24, 24]})}).addTo(map);
    mark.on("click", () => choose(choice));
    return mark;
  });
  let circle = null;

  const start = number(lat) !== null && number(lon) !== null ? mapParts.near(map, number(lat), number(lon)) : choices.length ? at(choices[0]) : map.getCenter();
  const pin = mapPin(map, start, {title: "Drag to the right location", moved});

  function choose(choice) { choice.checked = true; choice.closest("details")?.setAttribute("open", ""); show(); }

  /** Show what is chosen in the form; the view moves only where it is out of sight. */
  function show(moves = true) {
    const choice = choices.find((one) => one.checked);
    marks.forEach((mark, i) => {
      mark.getElement().classList.toggle("on", choices[i] === choice);
      mark.setZIndexOffset(choices[i] === choice ? 3000 : 2000 - 10 * (i + 1));
    });
    pin.getElement().classList.toggle("on", pinChoice.checked);
    pin.setZIndexOffset(pinChoice.checked ? 4000 : 1000);
    circle?.remove();
    circle = null;
    if (!choice) return;
    if (Number(choice.dataset.radius) > 0)
      circle = L.circle(at(choice), {radius: Number(choice.dataset.radius), className: "map-uncertainty", interactive: false}).addTo(map);
    if (moves && !map.getBounds().contains(at(choice))) map.flyTo(at(choice), map.getZoom(), {animate: !mapParts.isStill()});
  }

  /** Take over where the pin is: into the fields, as the choice. */
  function moved() {
    const point = pin.getLatLng().wrap();
    lat.value = point.lat.toFixed(6); lon.value = point.lng.toFixed(6);
    shown.textContent = words(point);
    choose(pinChoice);
  }
  for (const field of [lat, lon]) field.addEventListener("input", () => {
    if (number(lat) === null || number(lon) === null || Math.abs(number(lat)) > 90 || Math.abs(number(lon)) > 180) return;
    pin.setLatLng(mapParts.near(map, number(lat), number(lon)));
    shown.textContent = words(pin.getLatLng().wrap());
    choose(pinChoice);
    if (!map.getBounds().contains(pin.getLatLng())) map.setView(pin.getLatLng(), map.getZoom(), {animate: false});
  });
  form.addEventListener("change", (event) => { if (event.target.name === "choice") show(); });

  mapParts.followScheme(map);
  mapParts.followSize(map);
  map.attributionControl.setPrefix(false);
  show(false);  // the first view may still be on its way
  box.dataset.ready = "true";
}
