/* A pin that the reader drags, or moves with the arrow keys: ten pixels a press with Shift. */
"use strict";

/** Add a pin to a map; `looks` are classes, `title` says what to do, `moved` hears every move. */
function mapPin(map, at, {looks = "", title, moved}) {
  const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  const shape = '<svg viewBox="0 0 28 36" aria-hidden="true"><path d="M14 35C8 25 2 20 2 13a12 12 0 0 1 24 0c0 7-6 12-12 22z"/><circle cx="14" cy="13" r="4.500"/></svg>';
  const pin = L.marker(at, {draggable: true, autoPan: true, zIndexOffset: 1000, title, alt: "Pin: drag it, or move it with the arrow keys",
    icon: L.divIcon({className: `map-pin ${looks}`, html: shape, iconSize: [28, 36], iconAnchor: [14, 35]})}).addTo(map);
  pin.on("dragend", moved);
  pin.getElement().addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault(); event.stopPropagation();
    const step = event.shiftKey ? 10 : 1, p = map.latLngToContainerPoint(pin.getLatLng());
    pin.setLatLng(map.containerPointToLatLng([p.x + way[0] * step, p.y + way[1] * step]));
    moved();
  });
  return pin;
}
