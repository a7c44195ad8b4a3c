/* The prospect layer of a folium map: asks the server what is in view, draws it on one canvas, keeps step with the page.
 *
 * Data: an element round the map carries data-view="URL" (JSON of map_data.answer; bbox and zoom are added); the map's
 * own element carries data-offices (JSON, one array per field), data-limit ("50 mi") and, if a prospect has a page,
 * data-prospect="URL with {id}". data-ready is true while the map shows what it was last answered. The page's own
 * address may say where the map stands: at=zoom,lat,lon. Every text is written with textContent or on the
 * canvas, never as HTML.
 *
 * Events are CustomEvents on document; `from` says who speaks ("map" or anything else, such as "table"), and
 * nobody answers to their own.
 *   prospect:select {id, from}            one is chosen; id null: none
 *   prospect:hover  {id, lon, lat, from}  one is pointed at; id null: none. With lon and lat it shows though it is in a cluster
 *   prospect:reload {url, from}           heard: ask again, at url if given
 *   prospect:pick   {on, from}            heard: the next click names a place; on false: no longer
 *   prospect:sites  {sites, pointed, all, from}  heard: sites [{id, lon, lat}] of the one that is chosen, drawn as spokes; pointed:
 *                                         the id of one that is pointed at; all: bring them all into view
 *   prospect:place  {lon, lat, miles}     told when a place was named; miles only where its prospects are too many to draw
 *   prospect:loaded {total, placed}       told once the data of an address are here
 *   prospect:view   {inView, shown, total, at}   told when the picture changes: N of M, and at (null: as it opened) */
"use strict";

function prospectLayer(map) {
  const box = map.getContainer(), offices = JSON.parse(box.dataset.offices);
  const focus = {selected: null, hovered: null, ghost: null, opened: null, spokes: [], pointedSite: null};
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail: {...detail, from: "map"}}));
  let ring = null, moved = false, sentTo = null, lastView = null;

  const data = prospectData(map, {alsoId: () => focus.selected, onAnswer, note: (words) => legend.note(words)});
  const picture = prospectPicture(map, data, focus, offices, box.dataset.limit);
  const legend = prospectLegend(box, map, data, picture, focus);
  const pointer = prospectPointer(map, data, picture, focus, {swatch: legend.swatch, redraw, say});
  const keyboard = prospectKeyboard(map, data, picture, pointer);
  box.append(keyboard.cursor, pointer.tip, legend.status, legend.key, keyboard.spoken);

  function redraw() {
    if (!data.rows) return;
    const inView = picture.draw([legend.key, legend.status]);
    legend.show(inView);
    keyboard.move();
    const view = {inView, shown: data.answer.placed, total: data.answer.total, at: moved ? sentTo || where() : null}, text = JSON.stringify(view);
    if (text !== lastView) say("view", view);
    lastView = text;
  }

  /** Show a new answer. */
  function onAnswer(isFirst) {
    ring?.remove();
    const line = data.answer.ring, turn = line && mapParts.near(map, ...line[0])[1] - line[0][1];
    ring = line && L.polyline(line.map(([lat, lon]) => [lat, lon + turn]), {className: "map-near", interactive: false}).addTo(map);
    redraw();
    if (isFirst) say("loaded", {total: data.answer.total, placed: data.answer.placed});
    pointer.showDue();
  }

  // ---- where the map stands
  const where = () => { const {lat, lng} = map.getCenter(); return `${map.getZoom()},${lat.toFixed(4)},${lng.toFixed(4)}`; };

  /** Go where the address says; until the map is moved by hand it stays word for word, though the middle of the map
   * falls on whole pixels. */
  function goWhereSent() {
    const at = new URLSearchParams(location.search).get("at") || "", [zoom, lat, lon] = at.split(",").map(Number);
    if ([zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) <= 90) { map.setView([lat, lon], zoom, {animate: false}); moved = true; sentTo = at; }
  }

  map.on("movestart", () => { moved ||= data.rows != null; });  // a new size of the box is no move
  map.on("dragstart zoomstart", () => { if (data.rows) sentTo = null; });
  map.on("moveend resize viewreset", () => { if (!data.land()) redraw(); });
  map.on("moveend resize", data.soon);
  mapParts.followScheme(map, () => { picture.dress(); redraw(); });
  map.on("lines", () => {  // offices and rings are on the map: the script of the page draws them after the first prospects
    mapParts.nameOffices(box, offices.name);
    picture.findRings();
    redraw();
    box.dataset.lines = "true";
  });

  // ---- in step with the page
  const hear = (name, act) => document.addEventListener(`prospect:${name}`, ({detail}) => { if (detail.from !== "map") act(detail); });
  hear("select", ({id}) => { if (data.rows) pointer.select(id, "page"); else focus.selected = id; });
  hear("hover", ({id, lon, lat}) => { if (data.rows) pointer.hover(id, "page", null, id != null && lon != null ? {lon, lat} : null); });
  hear("reload", ({url}) => data.reload(url));
  hear("pick", ({on}) => pointer.pick(on));
  hear("sites", ({sites, pointed, all}) => {
    if (sites) focus.spokes = sites;
    focus.pointedSite = pointed ?? null;
    redraw();
    const i = data.row(focus.selected);
    if (!all || !focus.spokes.length || !data.isPlaced(i)) return;
    const own = mapParts.near(map, data.rows.lat[i], data.rows.lon[i]);
    const ends = [own, ...focus.spokes.map(({lat, lon}) => mapParts.near(map, lat, lon, own[1]))];
    map.fitBounds(L.latLngBounds(ends).pad(0.1), {animate: !mapParts.isStill()});
  });

  map.attributionControl.setPrefix(false);
  goWhereSent();
  map.answered = data.load();
}
