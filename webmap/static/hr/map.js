/* The map of one eligibility check: the office, its ring and where the home may be, and a pin to say where that is.
 *
 * Data: JSON in the element #home-check of the page that answered the check (webmap/hr/decision_map.py makes it), so that no
 * address that is asked for tells of the home: {office: {name, lat, lon}, ring, ring_words, home: {lat, lon, words},
 * area, frame}; ring and area are [[lat, lon], ...] or null, frame is [[south, west], [north, east]]. A frame alone draws nothing.
 * An answer that takes the place of another on the page (private_forms.js) is drawn in its place.
 * [data-pin-start] places the pin, [data-pin-said] says where it is, and the field #home takes it. */
"use strict";

function homeCheck(map) {
  const box = map.getContainer(), drawn = L.layerGroup().addTo(map);
  let check = null, pin = null, touched = false;
  const building = '<svg viewBox="-9 -9 18 18" aria-hidden="true"><path d="M-4 5v-9h5v9M1-1h4v6M-5.500 5h11M-2-1.500h1M-2 1.500h1"/></svg>';
  const frame = () => map.fitBounds(check.frame, {padding: [8, 8], animate: false});

  /** Write beside a layer; names are texts and never HTML. */
  function label(layer, words, direction, looks = "") {
    return layer.bindTooltip(mapParts.make("span", {textContent: words}), {permanent: true, direction, className: `home-label ${looks}`, offset: direction === "center" ? [0, 0] : direction === "left" ? [-10, 0] : [10, 0]});
  }

  map.createPane("rings").style.zIndex = 410;
  const svg = L.svg({pane: "rings", padding: .5});

  /** Draw what the page says now in the place of what it said before. */
  function draw() {
    check = JSON.parse(document.getElementById("home-check").textContent);
    drawn.clearLayers();
    if (check.ring) L.polygon(check.ring, {className: "map-ring", fill: true, interactive: false, smoothFactor: 0, renderer: svg}).addTo(drawn);
    if (check.area) L.polygon(check.area, {className: "map-uncertainty", fill: true, interactive: false, smoothFactor: 0, renderer: svg}).addTo(drawn);
    if (check.office) {
      const {office, home} = check, isEast = home.lon >= office.lon;
      const mark = L.marker(office, {keyboard: false, interactive: false, icon: L.divIcon({className: "map-office", html: building, iconSize: [18, 18]})}).addTo(drawn);
      label(mark, office.name, isEast ? "left" : "right", "strong");
      const dot = L.circleMarker(home, {radius: 6, className: "home-dot", interactive: false, renderer: svg}).addTo(drawn);
      label(dot, home.words, isEast ? "right" : "left", "strong");
      if (check.ring_words) {
        // South of the office when the home is north of it, so that neither label meets the other.
        const end = check.ring.reduce((best, point) => ((point[0] > best[0]) === (home.lat < office.lat) ? point : best));
        label(L.marker(end, {keyboard: false, interactive: false, icon: L.divIcon({className: "home-anchor", iconSize: [0, 0]})}).addTo(drawn), check.ring_words, "center");
      }
    }
    frame();
  }

  const said = document.querySelector("[data-pin-said]");
  document.addEventListener("input", (event) => { if (event.target.id === "home") document.getElementById("pin_m").value = ""; });

  /** Hand over where the pin is, to as many digits as the screen tells apart. */
  function moved() {
    const point = pin.getLatLng().wrap(), pixel = 360 / (256 * 2 ** map.getZoom());
    const digits = Math.min(6, Math.max(1, Math.ceil(-Math.log10(pixel)))), miles = pixel * 69.17 * Math.cos(point.lat * Math.PI / 180);
    document.getElementById("home").value = `${point.lat.toFixed(digits)}, ${point.lng.toFixed(digits)}`;
    // A pixel for a mouse; for a finger half of its width, which hides what it points at.
    const off = miles * (matchMedia("(pointer: coarse)").matches ? 22 : 1);
    document.getElementById("pin_m").value = (off * 1609.344).toFixed(1);
    said.textContent = `The pin counts as known to ${off < 0.095 ? off.toFixed(2) : off.toFixed(1)} miles at this zoom. Zoom in to place it better, then check.`;
  }
  const clicked = (event) => place(event.latlng);
  const zoomed = () => { said.textContent = "Move the pin, or click where the home is."; };
  function place(at) {
    if (pin) pin.setLatLng(at);
    else {
      pin = mapPin(map, at, {looks: "on", title: "Drag me to the home", moved});
      map.on("click", clicked).on("zoomend", zoomed);
    }
    moved();
  }

  /** Let the button of the answer place the pin. */
  function offer() {
    const start = document.querySelector("[data-pin-start]");
    if (!start) return;
    start.hidden = false;
    start.addEventListener("click", () => {
      place(map.getCenter());
      box.scrollIntoView({block: "nearest"});
      pin.getElement().focus({preventScroll: true});
    });
  }

  draw();
  offer();
  document.addEventListener("private-answer", () => {
    if (pin) pin.remove();
    map.off("click", clicked).off("zoomend", zoomed);
    pin = null; touched = false; said.textContent = "";
    draw();
    offer();
  });
  mapParts.followScheme(map);
  map.on("movestart zoomstart", (event) => { touched = touched || Boolean(event.originalEvent); });
  map.on("dragstart", () => { touched = true; });
  mapParts.followSize(map, () => { if (!touched && !pin) frame(); });
  map.attributionControl.setPrefix(false);
  box.dataset.ready = "true";
}
