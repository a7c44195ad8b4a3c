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
 *   prospect:view   {inView, shown, total, at}   told when the picture changes: N of M, and at (null: as it opened)
 * Keyboard: one tab stop on the symbols; arrows move to the next symbol that way, Enter opens, Escape closes. */
"use strict";

function prospectLayer(map) {
  const S = prospectSymbols, box = map.getContainer(), PAD = 0.2, LOOSE_ZOOM = 14, DEBOUNCE_MS = 60, LATE_MS = 300, HERE_MI = 0.1;
  const STATUS = {prospect: "Whitespace", customer: "Customer", former: "Former customer", disqualified: "Disqualified"};
  const SEGMENT = {enterprise: "Enterprise", mid_market: "Mid-market", small: "Small", unknown: "Size not known"};
  const SHAPES = {circle: "Whitespace", disc: "Open opportunity", square: "Customer", frame: "Former customer", cross: "Disqualified"};
  const still = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
  const count = new Intl.NumberFormat("en-US").format;
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail: {...detail, from: "map"}}));
  const make = (tag, props, ...kids) => { const e = Object.assign(document.createElement(tag), props); e.append(...kids.filter((k) => k != null)); return e; };
  const offices = JSON.parse(box.dataset.offices), limit = box.dataset.limit;

  // What is chosen and pointed at is known by id: the rows are new with every answer.
  let question = box.closest("[data-view]").dataset.view, data = null, rows = null, index = new Map(), loaded = null, items = [], opened = null, selected = null, shownAs = null, hovered = null, ghost = null, spokes = [], pointedSite = null, picking = false, ink = null, moved = false, sentTo = null, told = null;

  const canvas = make("canvas", {className: "map-canvas leaflet-zoom-animated"}), pen = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  map.createPane("prospects").style.zIndex = 590;
  map.getPane("prospects").append(canvas);
  const tipText = make("span", {}), tip = make("div", {className: "map-tip", hidden: true}, tipText), cursor = make("button", {type: "button", className: "map-cursor", hidden: true});
  const status = make("p", {className: "map-count"}), legend = make("div", {}), key = make("details", {className: "map-legend"}, make("summary", {textContent: "Legend"}), legend), spoken = make("p", {className: "map-spoken"});
  status.setAttribute("role", "status"); spoken.setAttribute("aria-live", "polite"); tip.setAttribute("aria-hidden", "true");
  key.open = box.clientWidth > 600;
  for (const e of [status, key, cursor]) L.DomEvent.disableClickPropagation(e);
  box.append(cursor, tip, status, key, spoken);

  // ---- the words for one prospect
  const place = (i) => [rows.city[i], rows.state[i]].filter(Boolean).join(", ");
  const standing = (i) => rows.status[i] === "prospect" && rows.stage[i] ? "Open opportunity" : STATUS[rows.status[i]] || rows.status[i];
  const segment = (i) => SEGMENT[rows.segment[i]] || rows.segment[i];
  const shape = (i) => S.shapeOf(rows.status[i], rows.stage[i] != null);
  const hue = (n) => ink.segments[n] || ink.other;
  const step = (i) => rows.step.length ? rows.step[i] : null;
  const verdict = (i) => ({in: `within ${limit}`, out: `beyond ${limit}`, too_close_to_call: `too close to ${limit} to call`})[rows.verdict[i]];
  const miles = (n) => n.toLocaleString("en-US", {minimumFractionDigits: 1, maximumFractionDigits: 9});
  const distance = (i) => rows.miles[i] != null && `${miles(rows.miles[i])} mi from ${rows.office[i]}`;
  const sentence = (i) => [rows.name[i], standing(i), segment(i), place(i), distance(i), verdict(i)].filter(Boolean).join(", ");

  // ---- drawing
  const isPlaced = (i) => i != null && rows.lon[i] != null;
  /** The copy of a point that is nearest to the middle: the world repeats at the antimeridian. */
  const pointAt = (lat, lon) => map.latLngToLayerPoint([lat, lon + 360 * Math.round((map.getCenter().lng - lon) / 360)]);
  const officeAt = (row) => pointAt(offices.lat[row], offices.lon[row]);
  const pixel = (i) => pointAt(rows.lat[i], rows.lon[i]);

  function redraw() {
    if (!rows) return;
    const size = map.getSize(), pad = size.multiplyBy(PAD).round(), origin = map.containerPointToLayerPoint([0, 0]).subtract(pad), full = size.add(pad.multiplyBy(2));
    const dense = devicePixelRatio || 1, world = map.getPixelOrigin();
    L.DomUtil.setTransform(canvas, origin, 1);
    canvas.origin = map.layerPointToLatLng(origin);
    if (canvas.width !== full.x * dense || canvas.height !== full.y * dense) {
      canvas.width = full.x * dense; canvas.height = full.y * dense;
      canvas.style.width = `${full.x}px`; canvas.style.height = `${full.y}px`;
    }
    const view = L.bounds(map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size));
    const points = [], fanned = [];
    let inView = 0;
    for (let i = 0; i < data.in_points; i++) {
      const p = pixel(i), point = {i, n: 1, x: p.x + world.x, y: p.y + world.y};
      if (p.x < origin.x || p.y < origin.y || p.x > origin.x + full.x || p.y > origin.y + full.y) continue;
      if (view.contains(p)) inView++;
      (opened?.has(rows.id[i]) ? fanned : points).push(point);
    }
    const crowds = data.clusters;
    for (let k = 0; k < crowds.count.length; k++) {
      const p = pointAt(crowds.lat[k], crowds.lon[k]);
      points.push({i: -1, n: crowds.count[k], x: p.x + world.x, y: p.y + world.y});
    }
    const keepOff = offices.id.map((_, row) => { const p = officeAt(row); return {x: p.x + world.x, y: p.y + world.y, r: 12}; });
    items = data.density ? squares(world) : S.arrange(points, map.getZoom() >= LOOSE_ZOOM, keepOff);
    if (fanned.length) items.push(...S.spread(fanned, 20));
    for (const item of items) {
      item.x -= world.x; item.y -= world.y;
      if (item.at) item.at = {x: item.at.x - world.x, y: item.at.y - world.y};
    }
    pen.setTransform(dense, 0, 0, dense, -origin.x * dense, -origin.y * dense);
    pen.clearRect(origin.x, origin.y, full.x, full.y);
    drawItems();
    drawLabels(view);
    tell(isCut() ? data.in_view : inView);
  }

  /** The squares of the density as items: their number is the server's, whoever is in them. */
  function squares(world) {
    const {x, y, count: counts, px, zoom, limits} = data.density, side = px * map.getZoomScale(map.getZoom(), zoom);
    return counts.map((n, k) => {
      const {lat, lng} = map.unproject([(x[k] + 0.5) * px, (y[k] + 0.5) * px], zoom), p = pointAt(lat, lng);
      return {x: p.x + world.x, y: p.y + world.y, count: n, members: [], points: [], r: side / 2, step: limits.filter((limit) => n >= limit).length, side};
    });
  }

  /** Whether what was answered stands for its zoom alone: counted by cells or squares. */
  const isCut = () => Boolean(data.density) || data.clusters.count.length > 0;

  function drawItems() {
    for (const item of items) {
      if (!item.at) continue;
      pen.beginPath(); pen.moveTo(item.at.x, item.at.y); pen.lineTo(item.x, item.y);
      pen.lineWidth = 1; pen.strokeStyle = ink.leg; pen.stroke();
    }
    drawSpokes();
    for (const item of items) if (item.side) S.square(pen, item.x, item.y, item.side, item.step, ink);
    for (const item of items) if (item.count === 1 && !item.side) stamp(item.members[0], item.x, item.y);
    for (const item of items) if (item.count > 1 && !item.side) S.bubble(pen, item, ink);
    if (ghost && !index.has(hovered)) halo(pointAt(ghost.lat, ghost.lon), 2);
    for (const [id, width] of [[hovered, 2], [selected, 2.5]]) {
      const i = index.get(id);
      if (!isPlaced(i)) continue;
      const at = whereabouts(i);
      halo(at, width);
      stamp(i, at.x, at.y);
    }
  }

  /** Lines from the chosen headquarters to its sites, under all symbols. */
  function drawSpokes() {
    const i = index.get(selected);
    if (!spokes.length || !isPlaced(i)) return;
    const from = whereabouts(i), ends = spokes.map(({lat, lon}) => pointAt(lat, lon));
    pen.setLineDash([]);
    for (const [width, colour] of [[3.5, ink.halo], [1.25, ink.text2]]) {
      pen.lineWidth = width; pen.strokeStyle = colour;
      for (const to of ends) { pen.beginPath(); pen.moveTo(from.x, from.y); pen.lineTo(to.x, to.y); pen.stroke(); }
    }
    ends.forEach((to, k) => S.site(pen, to.x, to.y, ink, spokes[k].id === pointedSite));
  }

  function halo({x, y}, width) {
    pen.beginPath(); pen.arc(x, y, 11, 0, 7); pen.fillStyle = ink.halo; pen.globalAlpha = 0.7; pen.fill(); pen.globalAlpha = 1;
    pen.lineWidth = width; pen.strokeStyle = ink.text; pen.stroke();
  }

  function stamp(i, x, y) {
    pen.save(); pen.translate(x, y);
    S.dot(pen, shape(i), hue(rows.colour[i]), ink, step(i));
    pen.restore();
  }

  /** Where a prospect stands in the picture: its own symbol, or its true place when it is inside a cluster. */
  function whereabouts(i) {
    return items.find((item) => item.count === 1 && item.members[0] === i) || pixel(i);
  }

  // ---- offices and rings are folium's; their words are ours
  const rings = new Map();

  function drawLabels(view) {
    const taken = items.map((item) => ({x: item.x - item.r, y: item.y - item.r, w: 2 * item.r, h: 2 * item.r}));
    for (const e of [key, status]) taken.push({x: view.min.x + e.offsetLeft, y: view.min.y + e.offsetTop, w: e.offsetWidth, h: e.offsetHeight});
    const free = (b) => b.x > view.min.x && b.y > view.min.y && b.x + b.w < view.max.x && b.y + b.h < view.max.y &&
      taken.every((t) => b.x + b.w < t.x || t.x + t.w < b.x || b.y + b.h < t.y || t.y + t.h < b.y);
    const put = (text, x, y, options) => {
      pen.font = `${options.bold ? 600 : 400} ${options.size || 12}px ${ink.font}`;
      const w = pen.measureText(text).width, b = {x: options.align === "right" ? x - w : options.align === "center" ? x - w / 2 : x, y: y - 8, w, h: 16};
      if (!free(b)) return false;
      taken.push(b);
      S.label(pen, text, x, y, ink, options);
      return true;
    };
    offices.name.forEach((name, row) => {
      const p = officeAt(row);
      if (!view.contains(p)) return;
      taken.push({x: p.x - 10, y: p.y - 10, w: 20, h: 20});
      put(name, p.x + 14, p.y, {bold: true}) || put(name, p.x - 14, p.y, {bold: true, align: "right"}) ||
        put(name, p.x, p.y + 19, {bold: true, align: "center"}) || put(name, p.x, p.y - 19, {bold: true, align: "center"});
    });
    offices.name.forEach((name, row) => {
      const lines = rings.get(row)?.getLatLngs();
      if (!lines?.length) return;
      const ring = Array.isArray(lines[0]) ? lines[0] : lines, n = ring.length - 1;
      // On the line where it runs level, south or north; else beside it, south-east first.
      const words = `${limit} from ${name}`;
      for (const share of [0.5, 0, 0.36, 0.14, 0.64, 0.86, 0.30, 0.20, 0.70, 0.80]) {
        const p = map.latLngToLayerPoint(ring[Math.round(share * n)]), level = share % 0.5 === 0, east = share < 0.5;
        if (put(words, level ? p.x : p.x + (east ? -8 : 8), p.y, {align: level ? "center" : east ? "right" : "left", size: 11, over: level})) break;
      }
    });
  }

  // ---- N of M, legend
  function tell(inView) {
    const {total, shown, placed} = data, text = [make("b", {textContent: count(inView)}), ` of ${count(placed)} in view`];
    if (shown < total) text.push(`, ${count(total - shown)} filtered out`);
    if (placed < shown) text.push(`, ${count(shown - placed)} without a location`);
    status.replaceChildren(...text);
    const parts = legendParts();
    legend.replaceChildren(...parts);
    key.hidden = !parts.length;
    moveCursor();
    const seen = {inView, shown: placed, total, at: moved ? sentTo || where() : null}, said = JSON.stringify(seen);
    if (said !== told) say("view", seen);
    told = said;
  }

  const where = () => { const {lat, lng} = map.getCenter(); return `${map.getZoom()},${lat.toFixed(4)},${lng.toFixed(4)}`; };

  function legendParts() {
    const view = map.getPixelBounds(), corner = map.getPixelOrigin(), inside = (item) => view.contains([item.x + corner.x, item.y + corner.y]);
    const seen = items.filter(inside).flatMap((item) => item.members), shapes = new Set(seen.map(shape)), hues = new Set(seen.map((i) => rows.colour[i])), steps = new Set(seen.map(step));
    const entry = (shape_, colour, words, step_) => make("li", {}, swatch(shape_, colour, step_), words);
    const list = (label, entries) => { const e = make("ul", {}, make("li", {className: "what", textContent: label}), ...entries); e.setAttribute("aria-label", label); return entries.length ? e : null; };
    if (data.density) {
      const steps = data.density.words.map((words, n) => make("li", {}, patch(n), words));
      return [list(`Density: ${data.density.title}`, steps), ...spokeLegend(list)].filter(Boolean);
    }
    const {title, words, rest} = data.colours, names = [...words, ...Array(Math.max(0, 7 - words.length)), rest];
    return [
      list("Shape: status", Object.keys(SHAPES).filter((s) => shapes.has(s)).map((s) => entry(s, ink.text2, SHAPES[s]))),
      list(`Colour: ${title}`, names.map((name, n) => name && hues.has(n) ? entry("disc", hue(n), name) : null).filter(Boolean)),
      data.sizes && list(`Size: ${data.sizes.title}`, data.sizes.words.map((name, n) => steps.has(n) ? entry("disc", ink.text2, name, n) : null).filter(Boolean)),
      ...spokeLegend(list),
    ].filter(Boolean);
  }

  /** A small picture for the legend, drawn by `paint` round 0, 0. */
  function picture(side, paint) {
    const dense = devicePixelRatio || 1, e = make("canvas", {className: `map-swatch${side > 16 ? " wide" : ""}`, width: side * dense, height: side * dense}), g = e.getContext("2d");
    e.setAttribute("aria-hidden", "true");
    g.setTransform(dense, 0, 0, dense, side / 2 * dense, side / 2 * dense);
    paint(g);
    return e;
  }

  const swatch = (shape_, colour, step_) => picture(step_ == null ? 16 : 24, (g) => S.dot(g, shape_, colour, ink, step_));
  const patch = (step_) => picture(16, (g) => S.square(g, 0, 0, 14, step_, ink));
  const spokeLegend = (list) => spokes.length ? [list("Lines", [make("li", {}, picture(16, (g) => S.site(g, 0, 0, ink)), "Site of the chosen company")])] : [];

  // ---- pointing and choosing
  function under(point) {
    let best = null, least = Infinity;
    for (const item of items) {
      const far = Math.hypot(item.x - point.x, item.y - point.y) - item.r;
      if (far < Math.min(least, 6)) { least = far; best = item; }
    }
    return best;
  }

  const idOf = (item) => item && item.members.length === 1 && item.count === 1 ? rows.id[item.members[0]] : null;

  function hover(id, from, item, spot) {
    if (id === hovered && !item) return;
    if (from === "map" && id !== hovered) say("hover", {id});
    hovered = id; ghost = spot || null;
    redrawSoon();
    const i = index.get(id), at = item || (isPlaced(i) ? whereabouts(i) : null);
    tip.hidden = !at;
    if (tip.hidden) return;
    tipText.textContent = item && idOf(item) == null ? `${together(item)}: ${next(item)}` : rows.name[i];
    const p = map.layerPointToContainerPoint([at.x, at.y]), size = map.getSize();
    tip.classList.toggle("left", p.x > size.x - tipText.offsetWidth - 30);
    tip.style.transform = `translate(${Math.round(p.x)}px, ${Math.round(p.y)}px)`;
  }

  const together = (item) => `${count(item.count)} ${item.count === 1 ? "prospect" : "prospects"}${item.side ? " in this square" : ""}`;
  const isCounted = (item) => item.members.length < item.count;  // the server knows who they are, the map does not
  const onePoint = (item) => !isCounted(item) && new Set(item.members.map((i) => `${rows.lon[i]}:${rows.lat[i]}`)).size === 1;
  const isDeepest = () => map.getZoom() >= map.getMaxZoom();
  const next = (item) => isCounted(item) && isDeepest() ? "list them" : onePoint(item) || isDeepest() ? "open" : "zoom in";

  function activate(item) {
    if (idOf(item) != null) return select(idOf(item), "map");
    const at = map.layerPointToLatLng([item.x, item.y]).wrap(), deepest = map.getMaxZoom();
    if (isCounted(item)) {
      if (isDeepest()) say("place", {lon: at.lng, lat: at.lat, miles: HERE_MI});
      else map.setView(at, Math.min(deepest, map.getZoom() + 2), {animate: !still.matches});
      return;
    }
    if (onePoint(item) || isDeepest()) { opened = new Set(item.members.map((i) => rows.id[i])); redraw(); return; }
    const bounds = L.latLngBounds(item.members.map((i) => [rows.lat[i], rows.lon[i]]));
    const zoom = Math.min(deepest, Math.max(map.getZoom() + 1, map.getBoundsZoom(bounds.pad(0.15))));
    map.setView(bounds.getCenter(), zoom, {animate: !still.matches});
  }

  let circle = null, quiet = false;
  const popup = L.popup({className: "map-popup", maxWidth: 280, minWidth: 200, offset: [0, -6], autoPanPaddingTopLeft: [64, 52], autoPanPaddingBottomRight: [12, 12]});
  const closePopup = () => { quiet = true; map.closePopup(popup); quiet = false; };

  function select(id, from) {
    if (id === selected) { if (id != null && from === "map") openPopup(); return; }
    fit();
    selected = id; shownAs = null; spokes = []; pointedSite = null;
    circle?.remove();
    circle = null;
    closePopup();
    if (id != null && !index.has(id)) load(); else show();
    if (from === "map") say("select", {id});
  }

  /** Bring what is chosen into sight, once its place is known. */
  function show() {
    const i = index.get(selected);
    if (!isPlaced(i)) { redraw(); return; }
    shownAs = selected;
    const at = [rows.lat[i], rows.lon[i]];
    if (rows.known_to[i] > 0 && !["rooftop", "street"].includes(rows.precision[i]))
      circle = L.circle(at, {radius: rows.known_to[i] * 1609.344, className: "map-uncertainty", interactive: false}).addTo(map);
    if (!map.getBounds().contains(at)) map.setView(at, map.getZoom(), {animate: !still.matches});
    redraw();
    openPopup();
  }

  function openPopup() {
    const i = index.get(selected);
    if (!isPlaced(i)) return;
    const line = (text, className) => text ? make("p", {textContent: text, className: className || ""}) : null;
    const known = rows.known_to[i] > 0 && circle ? `Known to ${rows.known_to[i].toFixed(1)} miles` : null;
    const page = box.dataset.prospect && make("a", {href: box.dataset.prospect.replace("{id}", encodeURIComponent(rows.id[i])), textContent: "Why is this mine?"});
    const stage = rows.stage[i] ? `${standing(i)}: ${rows.stage[i]}` : standing(i);
    popup.setLatLng([rows.lat[i], rows.lon[i]]).setContent(make("div", {},
      make("h3", {textContent: rows.name[i]}), line(place(i), "muted"),
      make("p", {className: "kind"}, swatch(shape(i), hue(rows.colour[i])), `${stage} · ${segment(i)}`),
      line([distance(i), verdict(i)].filter(Boolean).join(", ")), line(known, "review"),
      line(rows.rep[i] && `Rep: ${rows.rep[i]}`, "muted"), page || null)).openOn(map);
  }

  // ---- keyboard: one button that stands on one symbol at a time
  let stand = null, standId = null, standAt = null;

  function moveCursor(to) {
    const size = map.getSize(), inside = (item) => { const p = map.layerPointToContainerPoint([item.x, item.y]); return p.x > 0 && p.y > 0 && p.x < size.x && p.y < size.y; };
    const visible = items.filter(inside), near = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    const closest = (point, most) => visible.filter((item) => near(item, point) < most).sort((a, b) => near(a, point) - near(b, point))[0];
    const same = () => (standId && visible.find((item) => idOf(item) === standId)) || (standAt && closest(map.latLngToLayerPoint(standAt), 32));
    stand = to || same() || closest(map.containerPointToLayerPoint(size.divideBy(2)), Infinity) || null;
    cursor.hidden = !stand;
    if (!stand) return;
    standId = idOf(stand); standAt = map.layerPointToLatLng([stand.x, stand.y]);
    const p = map.layerPointToContainerPoint([stand.x, stand.y]), r = stand.r + 5;
    Object.assign(cursor.style, {width: `${2 * r}px`, height: `${2 * r}px`, transform: `translate(${p.x - r}px, ${p.y - r}px)`});
    const words = stand.side ? `${together(stand)}, Enter shows them` : stand.count > 1 ? `${together(stand)} together, Enter shows them` : sentence(stand.members[0]);
    cursor.setAttribute("aria-label", words);
    if (to) spoken.textContent = words;
  }

  const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  cursor.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { close(); return; }
    const way = WAYS[event.key];
    if (!way || !stand) return;
    event.preventDefault(); event.stopPropagation();
    let best = null, least = Infinity;
    for (const item of items) {
      const dx = item.x - stand.x, dy = item.y - stand.y, along = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      if (item !== stand && along > 0.5 && along + 2 * aside < least) { least = along + 2 * aside; best = item; }
    }
    if (!best) return;
    if (!map.getBounds().contains(map.layerPointToLatLng([best.x, best.y]))) map.panTo(map.layerPointToLatLng([best.x, best.y]), {animate: false});
    moveCursor(best);
    hover(idOf(best), "map", best);
  });
  cursor.addEventListener("click", () => stand && activate(stand));
  cursor.addEventListener("blur", () => hover(null, "map"));

  function close() {
    if (opened) { opened = null; redraw(); }
    select(null, "map");
  }

  // ---- keeping step
  let frame = 0;
  function redrawSoon() { cancelAnimationFrame(frame); frame = requestAnimationFrame(redraw); }

  map.on("movestart", () => { moved ||= rows != null; });  // a new size of the box is no move
  for (const event of ["dragstart", "zoomstart"]) map.on(event, () => { if (rows) sentTo = null; });
  map.on("moveend resize viewreset", () => { if (!land()) redraw(); });
  map.on("moveend resize", () => { if (rows) soon(); });
  map.on("zoomstart", () => { opened = null; tip.hidden = true; });
  map.on("zoomend", () => { zoomed = true; flying = false; });
  map.on("zoomanim", (e) => {
    if (canvas.origin) L.DomUtil.setTransform(canvas, map._latLngToNewLayerPoint(canvas.origin, e.zoom, e.center), map.getZoomScale(e.zoom));
    if (!rows) return;
    flying = true;  // where the zoom ends is known as it begins: the answer can be there by then
    const corner = map._getNewPixelOrigin(e.center, e.zoom).subtract(map._getMapPanePos()), end = corner.add(map.getSize());
    const view = {zoom: e.zoom, bounds: L.latLngBounds(map.unproject([corner.x, end.y], e.zoom), map.unproject([end.x, corner.y], e.zoom))};
    if (!holds(view)) load(view);
  });
  map.on("mousemove", (e) => {
    if (!rows) return;
    const item = picking ? null : under(e.layerPoint);
    box.classList.toggle("map-pointing", Boolean(item));
    if (item || hovered != null || !tip.hidden) hover(idOf(item), "map", item);
  });
  map.on("mouseout", () => hover(null, "map"));
  map.on("click", (e) => {
    if (picking) { pick(false); const {lng, lat} = e.latlng.wrap(); say("place", {lon: lng, lat}); return; }
    const item = rows && under(e.layerPoint);
    if (item) activate(item); else if (rows) close();
  });
  map.on("popupclose", (e) => { if (e.popup === popup && !quiet && selected != null) select(null, "map"); });

  const hear = (name, act) => document.addEventListener(`prospect:${name}`, (e) => { if (e.detail.from !== "map") act(e.detail); });
  hear("select", ({id}) => { if (rows) select(id, "page"); else selected = id; });
  hear("hover", ({id, lon, lat}) => { if (rows) hover(id, "page", null, id != null && lon != null ? {lon, lat} : null); });
  hear("reload", ({url}) => { if (url) question = url; isNew = true; load(); });
  hear("pick", ({on}) => pick(on));
  hear("sites", ({sites, pointed, all}) => {
    if (sites) spokes = sites;
    pointedSite = pointed ?? null;
    if (rows) redraw();
    const i = index.get(selected);
    if (all && spokes.length && isPlaced(i)) map.fitBounds(L.latLngBounds([[rows.lat[i], rows.lon[i]], ...spokes.map(({lat, lon}) => [lat, lon])]).pad(0.1), {animate: !still.matches});
  });
  function pick(on) { picking = on; box.classList.toggle("map-picking", on); }

  function scheme() {
    ink = S.palette(box);
    map.eachLayer((layer) => { if (layer.options.scheme) { layer.options.scheme = dark.matches ? "dark" : "light"; layer.redraw(); } });
    redraw();
  }
  dark.addEventListener("change", scheme);

  /** Take over the size that the page gives the map, as when the card opens beside it, with the middle kept. A pan
   * under way would end where the old size wanted it. */
  function fit() {
    const size = map.getSize();
    if (size.x === box.clientWidth && size.y === box.clientHeight) return false;
    map.stop();
    map.invalidateSize({animate: false});
    return true;
  }
  new ResizeObserver(() => { if (fit() && popup.isOpen()) openPopup(); }).observe(box);

  // ---- asking: the last question counts, and none is asked whose answer is here
  let pending = null, timer = 0, ring = null, isNew = true, zoomed = false, flying = false, asked = null, landing = null;
  const viewNow = () => ({zoom: map.getZoom(), bounds: map.getBounds()});
  const holds = ({bounds}) => loaded && !isCut() && loaded.contains(bounds);

  function addressOf({zoom, bounds}) {
    const url = new URL(question, location.href);
    url.searchParams.set("bbox", [bounds.getWest(), Math.max(bounds.getSouth(), -90), bounds.getEast(), Math.min(bounds.getNorth(), 90)].map((n) => n.toFixed(5)).join(","));
    url.searchParams.set("zoom", zoom);
    if (selected != null) url.searchParams.set("prospect", selected);
    return url.href;
  }

  /** Draw what was answered while the map was on its way to where it stands now, if that is so. */
  function land() {
    const due = flying ? null : landing;
    if (!due) return false;
    landing = null;
    if (due.address !== addressOf(viewNow())) return false;
    take(due.answer, due.bounds);
    return true;
  }

  function soon() {
    clearTimeout(timer);
    if (flying || asked === addressOf(viewNow())) return;
    if (holds(viewNow())) return;
    box.dataset.ready = "false";
    timer = setTimeout(() => load(), zoomed ? 0 : DEBOUNCE_MS);  // a zoom has ended, a drag may go on
    zoomed = false;
  }

  async function load(view = viewNow()) {
    clearTimeout(timer);
    pending?.abort();
    box.dataset.ready = "false";
    const mine = pending = new AbortController(), url = asked = addressOf(view), bounds = view.bounds.pad(PAD);
    landing = null;
    const late = setTimeout(() => { status.textContent = "Updating…"; box.classList.add("map-late"); }, LATE_MS);
    let answer = null;
    try {
      const got = await fetch(url, {signal: mine.signal, headers: {Accept: "application/json"}});
      if (!got.ok) throw new Error(String(got.status));
      answer = await got.json();
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = "The prospects did not arrive. The table holds them all; reload the page to try again.";
    }
    clearTimeout(late);
    if (pending !== mine) return;
    box.classList.remove("map-late");
    if (!answer) asked = null;
    else if (flying) landing = {address: url, answer, bounds};
    else take(answer, bounds);
  }

  /** Take over an answer: its columns, with every word in its place. */
  function take(answer, bounds) {
    data = answer; loaded = bounds; rows = {...answer.points};
    for (const [name, column] of Object.entries(rows)) if (!Array.isArray(column)) rows[name] = column.of.map((n) => column.values[n]);
    index = new Map(rows.id.map((id, i) => [id, i]));
    ring?.remove();
    ring = answer.ring && L.polyline(answer.ring, {className: "map-near", interactive: false}).addTo(map);
    redraw();
    if (isNew) { isNew = false; say("loaded", {total: data.total, placed: data.placed}); }
    if (selected != null && shownAs !== selected && index.has(selected)) show();
    box.dataset.ready = "true";
  }

  /** Go where the address says; until the map is moved by hand it stays word for word, though the middle of the map
   * falls on whole pixels. */
  function stood() {
    const at = new URLSearchParams(location.search).get("at") || "", [zoom, lat, lon] = at.split(",").map(Number);
    if ([zoom, lat, lon].every(Number.isFinite) && Math.abs(lat) <= 90) { map.setView([lat, lon], zoom, {animate: false}); moved = true; sentTo = at; }
  }

  ink = S.palette(box);
  map.attributionControl.setPrefix(false);
  map.on("lines", () => {  // offices and rings are on the map: the script of the page draws them after the first prospects
    offices.name.forEach((name, row) => {
      const mark = box.querySelector(`.map-office-${row}`);
      mark?.setAttribute("role", "img"); mark?.setAttribute("aria-label", `Office: ${name}`);
    });
    map.eachLayer((layer) => { const name = /map-ring-(\d+)/.exec(layer.options.className); if (name) rings.set(Number(name[1]), layer); });
    redraw();
    box.dataset.lines = "true";
  });
  stood();
  map.answered = load();
}
