/* Pointing at symbols and choosing them: what a click on one does, the name beside it, the popup of the chosen one. */
"use strict";

/** Let a map be pointed at. Writes `focus`, which the picture draws; `redraw` makes a new picture, `say` tells the page. */
function prospectPointer(map, data, picture, focus, {swatch, redraw, say}) {
  const {make, count, isStill, near} = mapParts, box = map.getContainer(), HERE_MI = 0.1, NEAR_PX = 6;
  const name = make("span", {}), tip = make("div", {className: "map-tip", hidden: true}, name);
  const popup = L.popup({className: "map-popup", maxWidth: 280, minWidth: 200, offset: [0, -6], autoPanPaddingTopLeft: [64, 52], autoPanPaddingBottomRight: [12, 12]});
  let circle = null, shownAs = null, quiet = false, picking = false, frame = 0;
  tip.setAttribute("aria-hidden", "true");

  function under(point) {
    let best = null, least = Infinity;
    for (const item of picture.items) {
      const far = Math.hypot(item.x - point.x, item.y - point.y) - item.r;
      if (far < Math.min(least, NEAR_PX)) { least = far; best = item; }
    }
    return best;
  }

  // ---- pointing
  /** Point at a prospect, or at an item of several; `spot` is where one is that stands in no symbol of its own. */
  function hover(id, from, item, spot) {
    if (id === focus.hovered && !item) return;
    if (from === "map" && id !== focus.hovered) say("hover", {id});
    focus.hovered = id; focus.ghost = spot || null;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(redraw);
    const i = data.row(id), at = item || (data.isPlaced(i) ? picture.whereabouts(i) : null);
    tip.hidden = !at;
    if (tip.hidden) return;
    name.textContent = item && picture.id(item) == null ? `${together(item)}: ${next(item)}` : data.rows.name[i];
    const p = map.layerPointToContainerPoint([at.x, at.y]), size = map.getSize();
    tip.classList.toggle("left", p.x > size.x - name.offsetWidth - 30);
    tip.style.transform = `translate(${Math.round(p.x)}px, ${Math.round(p.y)}px)`;
  }

  const together = (item) => `${count(item.count)} ${item.count === 1 ? "prospect" : "prospects"}${item.side ? " in this square" : ""}`;
  const isCounted = (item) => item.members.length < item.count;  // the server knows who they are, the map does not
  const isOnePoint = (item) => !isCounted(item) && new Set(item.members.map((i) => `${data.rows.lon[i]}:${data.rows.lat[i]}`)).size === 1;
  const isDeepest = () => map.getZoom() >= map.getMaxZoom();
  const next = (item) => isCounted(item) && isDeepest() ? "list them" : isOnePoint(item) || isDeepest() ? "open" : "zoom in";

  /** Do what a click or Enter on a symbol means: choose one, fan out those at one point, come closer to the others. */
  function activate(item) {
    if (picture.id(item) != null) { select(picture.id(item), "map"); return; }
    const at = map.layerPointToLatLng([item.x, item.y]).wrap(), deepest = map.getMaxZoom(), animate = !isStill();
    if (isCounted(item)) {
      if (isDeepest()) say("place", {lon: at.lng, lat: at.lat, miles: HERE_MI});
      else map.setView(at, Math.min(deepest, map.getZoom() + 2), {animate});
      return;
    }
    if (isOnePoint(item) || isDeepest()) { focus.opened = new Set(item.members.map((i) => data.rows.id[i])); redraw(); return; }
    const bounds = L.latLngBounds(item.members.map((i) => near(map, data.rows.lat[i], data.rows.lon[i], at.lng)));
    map.setView(bounds.getCenter(), Math.min(deepest, Math.max(map.getZoom() + 1, map.getBoundsZoom(bounds.pad(0.15)))), {animate});
  }

  // ---- choosing
  /** Take over the size that the page gives the map, as when the card opens beside it, with the middle kept. A pan
   * under way would end where the old size wanted it. */
  function fit() {
    const size = map.getSize();
    if (size.x === box.clientWidth && size.y === box.clientHeight) return false;
    map.stop();
    map.invalidateSize({animate: false});
    return true;
  }

  /** Choose one, or none. One that is not here is asked for, and shown once it is. */
  function select(id, from) {
    if (id === focus.selected) { if (id != null && from === "map") openPopup(); return; }
    fit();
    Object.assign(focus, {selected: id, spokes: [], pointedSite: null});
    shownAs = null;
    circle?.remove();
    circle = null;
    quiet = true; map.closePopup(popup); quiet = false;
    if (id != null && data.row(id) == null) data.load(); else show();
    if (from === "map") say("select", {id});
  }

  /** Bring what is chosen into sight, once its place is known. */
  function show() {
    const i = data.row(focus.selected), {rows} = data;
    if (!data.isPlaced(i)) { redraw(); return; }
    shownAs = focus.selected;
    const at = near(map, rows.lat[i], rows.lon[i]);
    if (rows.circle_m[i]) circle = L.circle(at, {radius: rows.circle_m[i], className: "map-uncertainty", interactive: false}).addTo(map);
    if (!map.getBounds().contains(at)) map.setView(at, map.getZoom(), {animate: !isStill()});
    redraw();
    openPopup();
  }

  function openPopup() {
    const i = data.row(focus.selected), {rows} = data;
    if (!data.isPlaced(i)) return;
    const line = (text, className = "") => text ? make("p", {textContent: text, className}) : null, {shape, colour} = picture.looks(i);
    const page = box.dataset.prospect && make("a", {href: box.dataset.prospect.replace("{id}", encodeURIComponent(rows.id[i])), textContent: "Why is this mine?"});
    const standing = [data.standing(i), rows.stage[i]].filter(Boolean).join(": ");
    popup.setLatLng(near(map, rows.lat[i], rows.lon[i])).setContent(make("div", {},
      make("h3", {textContent: rows.name[i]}), line(data.place(i), "muted"),
      make("p", {className: "kind"}, swatch(shape, picture.hue(colour)), `${standing} · ${rows.segment[i]}`),
      line([data.distance(i), rows.verdict[i]].filter(Boolean).join(", ")), line(circle && `Location accurate to about ${rows.known_to[i].toFixed(1)} mi`, "review"),
      line(rows.rep[i] && `Rep: ${rows.rep[i]}`, "muted"), page || null)).openOn(map);
  }

  function close() {
    if (focus.opened) { focus.opened = null; redraw(); }
    select(null, "map");
  }

  /** Let the next click name a place. */
  function pick(on) { picking = on; box.classList.toggle("map-picking", on); }

  map.on("zoomstart", () => { focus.opened = null; tip.hidden = true; });
  map.on("mousemove", ({layerPoint}) => {
    if (!data.rows) return;
    const item = picking ? null : under(layerPoint);
    box.classList.toggle("map-pointing", Boolean(item));
    if (item || focus.hovered != null || !tip.hidden) hover(picture.id(item), "map", item);
  });
  map.on("mouseout", () => hover(null, "map"));
  map.on("click", ({latlng, layerPoint}) => {
    if (picking) { pick(false); const {lng, lat} = latlng.wrap(); say("place", {lon: lng, lat}); return; }
    if (!data.rows) return;
    const item = under(layerPoint);
    if (item) activate(item); else close();
  });
  map.on("popupclose", (event) => { if (event.popup === popup && !quiet && focus.selected != null) select(null, "map"); });

  new ResizeObserver(() => { if (fit() && popup.isOpen()) openPopup(); }).observe(box);
  /** Show what was chosen before it was here. */
  const showDue = () => { if (focus.selected != null && shownAs !== focus.selected && data.row(focus.selected) != null) show(); };
  return {tip, hover, activate, select, close, pick, showDue, together};
}
