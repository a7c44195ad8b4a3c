/* The prospect layer of a folium map: fetches prospects as JSON, draws them on one canvas, keeps step with the page.
 *
 * Data: the map's element carries data-prospects="URL" (JSON of webmap.maps.layer_data) and, if a prospect has a
 * page, data-prospect="URL with {id}". Every text is written with textContent or on the canvas, never as HTML.
 *
 * Events are CustomEvents on document; `from` says who speaks ("map" or anything else, such as "table"), and
 * nobody answers to their own.
 *   prospect:select {id, from}    one is chosen; id null: none
 *   prospect:hover  {id, from}    one is pointed at; id null: none
 *   prospect:filter {ids, from}   heard: show these ids only (any iterable); null: all
 *   prospect:reload {url, from}   heard: fetch again, from url if given
 *   prospect:loaded {total, placed}          told once the data is here
 *   prospect:view   {inView, shown, total}   told when the picture changes: N of M
 * Keyboard: one tab stop on the symbols; arrows move to the next symbol that way, Enter opens, Escape closes. */
"use strict";

function prospectLayer(map) {
  const S = prospectSymbols, box = map.getContainer(), PAD = 0.2, LOOSE_ZOOM = 14;
  const STATUS = {prospect: "Whitespace", customer: "Customer", former: "Former customer", disqualified: "Disqualified"};
  const SEGMENT = {enterprise: "Enterprise", mid_market: "Mid-market", small: "Small", unknown: "Size not known"};
  const still = matchMedia("(prefers-reduced-motion: reduce)"), dark = matchMedia("(prefers-color-scheme: dark)");
  const count = (n) => n.toLocaleString("en-US");
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail: {...detail, from: "map"}}));
  const make = (tag, props, ...kids) => { const e = Object.assign(document.createElement(tag), props); e.append(...kids.filter((k) => k != null)); return e; };

  let data = null, rows = null, index = new Map(), allowed = null, items = [], opened = null, selected = -1, hovered = -1, ink = null, wanted = null;

  const canvas = make("canvas", {className: "map-canvas leaflet-zoom-animated"}), pen = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  map.createPane("prospects").style.zIndex = 590;
  map.getPane("prospects").append(canvas);
  const tipText = make("span", {}), tip = make("div", {className: "map-tip", hidden: true}, tipText), cursor = make("button", {type: "button", className: "map-cursor"});
  const status = make("p", {className: "map-count"}), legend = make("div", {}), key = make("details", {className: "map-legend"}, make("summary", {textContent: "Legend"}), legend), spoken = make("p", {className: "map-spoken"});
  status.setAttribute("role", "status"); spoken.setAttribute("aria-live", "polite"); tip.setAttribute("aria-hidden", "true");
  key.open = box.clientWidth > 600;
  for (const e of [status, key, cursor]) L.DomEvent.disableClickPropagation(e);
  box.append(cursor, tip, status, key, spoken);

  // ---- the words for one prospect
  const place = (i) => [rows.city[i], rows.state[i]].filter(Boolean).join(", ");
  const standing = (i) => rows.status[i] === "prospect" && rows.open[i] ? "Open opportunity" : STATUS[rows.status[i]] || rows.status[i];
  const segment = (i) => SEGMENT[rows.segment[i]] || rows.segment[i];
  const colour = (i) => { const n = data.segments.indexOf(rows.segment[i]); return rows.segment[i] === "unknown" ? ink.other : ink.segments[n] || ink.other; };
  const verdict = (i) => ({in: `within ${data.limit}`, out: `beyond ${data.limit}`, too_close_to_call: `too close to ${data.limit} to call`})[rows.verdict[i]];
  const distance = (i) => rows.distance[i] && `${rows.distance[i]} from ${rows.office[i]}`;
  const sentence = (i) => [rows.name[i], standing(i), segment(i), place(i), distance(i), verdict(i)].filter(Boolean).join(", ");

  // ---- drawing
  const shows = (i) => rows.lon[i] != null && (!allowed || allowed.has(rows.id[i]));
  const officeAt = (row) => map.latLngToLayerPoint([data.offices.lat[row], data.offices.lon[row]]);
  const pixel = (i) => map.latLngToLayerPoint([rows.lat[i], rows.lon[i]]);

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
    const points = [];
    let inView = 0, shown = 0;
    const view = L.bounds(map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size));
    for (let i = 0; i < rows.id.length; i++) {
      if (!shows(i)) continue;
      shown++;
      const p = pixel(i);
      if (p.x < origin.x || p.y < origin.y || p.x > origin.x + full.x || p.y > origin.y + full.y) continue;
      if (view.contains(p)) inView++;
      if (!opened || !opened.has(i)) points.push({i, x: p.x + world.x, y: p.y + world.y});
    }
    const offices = data.offices.id.map((_, row) => { const p = officeAt(row); return {x: p.x + world.x, y: p.y + world.y, r: 12}; });
    items = S.arrange(points, map.getZoom() >= LOOSE_ZOOM, offices);
    if (opened) items.push(...S.spread([...opened].map((i) => { const p = pixel(i); return {i, x: p.x + world.x, y: p.y + world.y}; }), 20));
    for (const item of items) {
      item.x -= world.x; item.y -= world.y;
      if (item.at) item.at = {x: item.at.x - world.x, y: item.at.y - world.y};
    }
    pen.setTransform(dense, 0, 0, dense, -origin.x * dense, -origin.y * dense);
    pen.clearRect(origin.x, origin.y, full.x, full.y);
    drawItems();
    drawLabels(view);
    tell(inView, shown);
  }

  function drawItems() {
    for (const item of items) {
      if (!item.at) continue;
      pen.beginPath(); pen.moveTo(item.at.x, item.at.y); pen.lineTo(item.x, item.y);
      pen.lineWidth = 1; pen.strokeStyle = ink.leg; pen.stroke();
    }
    for (const item of items) if (item.members.length === 1) stamp(item.members[0], item.x, item.y);
    for (const item of items) if (item.members.length > 1) S.bubble(pen, item, ink);
    for (const [i, width] of [[hovered, 2], [selected, 2.5]]) {
      if (i < 0 || !shows(i)) continue;
      const {x, y} = whereabouts(i);
      pen.beginPath(); pen.arc(x, y, 11, 0, 7); pen.fillStyle = ink.halo; pen.globalAlpha = 0.7; pen.fill(); pen.globalAlpha = 1;
      pen.lineWidth = width; pen.strokeStyle = ink.text; pen.stroke();
      stamp(i, x, y);
    }
  }

  function stamp(i, x, y) {
    pen.save(); pen.translate(x, y);
    S.dot(pen, S.shapeOf(rows.status[i], rows.open[i]), colour(i), ink);
    pen.restore();
  }

  /** Where a prospect stands in the picture: its own symbol, or its true place when it is inside a cluster. */
  function whereabouts(i) {
    return items.find((item) => item.members.length === 1 && item.members[0] === i) || pixel(i);
  }

  // ---- offices and rings are folium's; their words are ours
  const ringOf = (row) => Object.values(map._layers).find((layer) => (layer.options.className || "").split(" ").includes(`map-ring-${row}`));

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
    data.offices.name.forEach((name, row) => {
      const p = officeAt(row);
      if (!view.contains(p)) return;
      taken.push({x: p.x - 10, y: p.y - 10, w: 20, h: 20});
      put(name, p.x + 14, p.y, {bold: true}) || put(name, p.x - 14, p.y, {bold: true, align: "right"}) ||
        put(name, p.x, p.y + 19, {bold: true, align: "center"}) || put(name, p.x, p.y - 19, {bold: true, align: "center"});
    });
    data.offices.name.forEach((name, row) => {
      const line = ringOf(row)?.getLatLngs()[0];
      if (!line) return;
      const ring = Array.isArray(line) ? line : ringOf(row).getLatLngs(), n = ring.length - 1;
      // On the line where it runs level, south or north; else beside it, south-east first.
      const words = `${data.limit} from ${name}`;
      for (const share of [0.5, 0, 0.36, 0.14, 0.64, 0.86, 0.30, 0.20, 0.70, 0.80]) {
        const p = map.latLngToLayerPoint(ring[Math.round(share * n)]), level = share % 0.5 === 0, east = share < 0.5;
        if (put(words, level ? p.x : p.x + (east ? -8 : 8), p.y, {align: level ? "center" : east ? "right" : "left", size: 11, over: level})) break;
      }
    });
  }

  // ---- N of M, legend
  function tell(inView, shown) {
    const total = rows.id.length, placed = rows.lon.filter((v) => v != null).length;
    const text = [make("b", {textContent: count(inView)}), ` of ${count(shown)} in view`];
    if (shown < placed) text.push(`, ${count(placed - shown)} filtered out`);
    if (placed < total) text.push(`, ${count(total - placed)} without a location`);
    status.replaceChildren(...text);
    legend.replaceChildren(...legendParts());
    moveCursor();
    say("view", {inView, shown, total});
  }

  function legendParts() {
    const view = map.getPixelBounds(), corner = map.getPixelOrigin(), inside = (item) => view.contains([item.x + corner.x, item.y + corner.y]);
    const seen = new Set(items.filter(inside).flatMap((item) => item.members)), shapes = new Map(), segments = new Map();
    for (const i of seen) {
      const shape = S.shapeOf(rows.status[i], rows.open[i]);
      shapes.set(shape, {circle: "Whitespace", disc: "Open opportunity", square: "Customer", frame: "Former customer", cross: "Disqualified"}[shape]);
      segments.set(rows.segment[i], [segment(i), colour(i)]);
    }
    const entry = (shape, ink_, words) => make("li", {}, swatch(shape, ink_), words);
    const list = (label, entries) => { const e = make("ul", {}, ...entries); e.setAttribute("aria-label", label); return e; };
    const order = ["circle", "disc", "square", "frame", "cross"].filter((s) => shapes.has(s)).map((s) => entry(s, ink.text2, shapes.get(s)));
    const hues = data.segments.filter((s) => segments.has(s)).map((s) => entry("disc", segments.get(s)[1], segments.get(s)[0]));
    return [order.length ? list("Shape is status", order) : null, hues.length ? list("Colour is segment", hues) : null].filter(Boolean);
  }

  function swatch(shape, colour_) {
    const dense = devicePixelRatio || 1, e = make("canvas", {className: "map-swatch", width: 16 * dense, height: 16 * dense}), g = e.getContext("2d");
    e.setAttribute("aria-hidden", "true");
    g.setTransform(dense, 0, 0, dense, 8 * dense, 8 * dense);
    S.dot(g, shape, colour_, ink);
    return e;
  }

  // ---- pointing and choosing
  function under(point) {
    let best = null, least = Infinity;
    for (const item of items) {
      const far = Math.hypot(item.x - point.x, item.y - point.y) - item.r;
      if (far < Math.min(least, 6)) { least = far; best = item; }
    }
    return best;
  }

  function hover(i, from, item) {
    if (i === hovered && !item) return;
    hovered = i;
    redrawSoon();
    if (from === "map") say("hover", {id: i < 0 ? null : rows.id[i]});
    const at = item || (i < 0 ? null : whereabouts(i));
    tip.hidden = !at || (i < 0 && !item);
    if (tip.hidden) return;
    tipText.textContent = item && item.members.length > 1 ? `${count(item.members.length)} prospects: ${onePoint(item) ? "open" : "zoom in"}` : rows.name[i];
    const p = map.layerPointToContainerPoint([at.x, at.y]), size = map.getSize();
    tip.classList.toggle("left", p.x > size.x - tipText.offsetWidth - 30);
    tip.style.transform = `translate(${Math.round(p.x)}px, ${Math.round(p.y)}px)`;
  }

  const onePoint = (item) => new Set(item.members.map((i) => `${rows.lon[i]}:${rows.lat[i]}`)).size === 1;

  function activate(item) {
    if (item.members.length === 1) return select(item.members[0], "map");
    if (onePoint(item) || map.getZoom() >= map.getMaxZoom()) { opened = new Set(item.members); redraw(); return; }
    const bounds = L.latLngBounds(item.members.map((i) => [rows.lat[i], rows.lon[i]]));
    const zoom = Math.min(map.getMaxZoom(), Math.max(map.getZoom() + 1, map.getBoundsZoom(bounds.pad(0.15))));
    map.setView(bounds.getCenter(), zoom, {animate: !still.matches});
  }

  let circle = null;
  const popup = L.popup({className: "map-popup", maxWidth: 280, minWidth: 200, offset: [0, -6], autoPanPaddingTopLeft: [64, 52], autoPanPaddingBottomRight: [12, 12]});

  function select(i, from) {
    if (i === selected) { if (i >= 0 && from === "map") openPopup(i); return; }
    fit();
    selected = i;
    circle?.remove();
    circle = null;
    if (i < 0 || !shows(i)) { map.closePopup(popup); redraw(); }
    else {
      const at = [rows.lat[i], rows.lon[i]];
      if (rows.uncertainty_mi[i] > 0 && !["rooftop", "street"].includes(rows.precision[i]))
        circle = L.circle(at, {radius: rows.uncertainty_mi[i] * 1609.344, className: "map-uncertainty", interactive: false}).addTo(map);
      if (!map.getBounds().contains(at)) map.setView(at, map.getZoom(), {animate: !still.matches});
      redraw();
      openPopup(i);
    }
    if (from === "map") say("select", {id: i < 0 ? null : rows.id[i]});
  }

  function openPopup(i) {
    const line = (text, className) => text ? make("p", {textContent: text, className: className || ""}) : null;
    const known = rows.uncertainty_mi[i] > 0 && circle ? `Known to ${rows.uncertainty_mi[i].toFixed(1)} miles` : null;
    const page = box.dataset.prospect && make("a", {href: box.dataset.prospect.replace("{id}", encodeURIComponent(rows.id[i])), textContent: "Why is this mine?"});
    const stage = rows.open[i] && rows.stage[i] ? `${standing(i)}: ${rows.stage[i]}` : standing(i);
    popup.setLatLng([rows.lat[i], rows.lon[i]]).setContent(make("div", {},
      make("h3", {textContent: rows.name[i]}), line([rows.street[i], place(i)].filter(Boolean).join(", "), "muted"),
      make("p", {className: "kind"}, swatch(S.shapeOf(rows.status[i], rows.open[i]), colour(i)), `${stage} · ${segment(i)}`),
      line([distance(i), verdict(i)].filter(Boolean).join(", ")), line(known, "review"),
      line(rows.rep[i] && `Rep: ${rows.rep[i]}`, "muted"), page || null)).openOn(map);
  }

  // ---- keyboard: one button that stands on one symbol at a time
  let stand = null;

  function moveCursor(to) {
    const size = map.getSize(), inside = (item) => { const p = map.layerPointToContainerPoint([item.x, item.y]); return p.x > 0 && p.y > 0 && p.x < size.x && p.y < size.y; };
    const visible = items.filter(inside), middle = map.containerPointToLayerPoint(size.divideBy(2));
    const near = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    stand = to || (stand && visible.find((item) => stand.members.includes(item.members[0]))) || visible.sort((a, b) => near(a, middle) - near(b, middle))[0] || null;
    cursor.hidden = !stand;
    if (!stand) return;
    const p = map.layerPointToContainerPoint([stand.x, stand.y]), r = stand.r + 5;
    Object.assign(cursor.style, {width: `${2 * r}px`, height: `${2 * r}px`, transform: `translate(${p.x - r}px, ${p.y - r}px)`});
    const words = stand.members.length > 1 ? `${count(stand.members.length)} prospects together, Enter shows them` : sentence(stand.members[0]);
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
    hover(best.members.length === 1 ? best.members[0] : -1, "map", best);
  });
  cursor.addEventListener("click", () => stand && activate(stand));
  cursor.addEventListener("blur", () => hover(-1, "map"));

  function close() {
    if (opened) { opened = null; redraw(); }
    select(-1, "map");
  }

  // ---- keeping step
  let frame = 0;
  function redrawSoon() { cancelAnimationFrame(frame); frame = requestAnimationFrame(redraw); }

  map.on("moveend resize viewreset", redraw);
  map.on("zoomstart", () => { opened = null; tip.hidden = true; });
  map.on("zoomanim", (e) => {
    if (canvas.origin) L.DomUtil.setTransform(canvas, map._latLngToNewLayerPoint(canvas.origin, e.zoom, e.center), map.getZoomScale(e.zoom));
  });
  map.on("mousemove", (e) => {
    if (!rows) return;
    const item = under(e.layerPoint);
    box.classList.toggle("map-pointing", Boolean(item));
    if (item || hovered >= 0 || !tip.hidden) hover(item && item.members.length === 1 ? item.members[0] : -1, "map", item);
  });
  map.on("mouseout", () => hover(-1, "map"));
  map.on("click", (e) => { const item = rows && under(e.layerPoint); if (item) activate(item); else if (rows) close(); });
  map.on("popupclose", (e) => { if (e.popup === popup && selected >= 0) select(-1, "map"); });

  const hear = (name, act) => document.addEventListener(`prospect:${name}`, (e) => { if (e.detail.from !== "map") act(e.detail); });
  hear("select", ({id}) => { wanted = id; if (rows) select(index.get(id) ?? -1, "page"); });
  hear("hover", ({id}) => { if (rows) hover(shownIndex(id), "page"); });
  hear("filter", ({ids}) => { allowed = ids && new Set(ids); if (rows) redraw(); });
  hear("reload", ({url}) => { if (url) box.dataset.prospects = url; load(); });
  const shownIndex = (id) => { const i = index.get(id) ?? -1; return i >= 0 && shows(i) ? i : -1; };

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
  new ResizeObserver(() => { if (fit() && popup.isOpen()) openPopup(selected); }).observe(box);

  let pending = null;
  async function load() {
    pending?.abort();
    pending = new AbortController();
    status.textContent = data ? "Updating…" : "";
    try {
      const answer = await fetch(box.dataset.prospects, {signal: pending.signal, headers: {Accept: "application/json"}});
      if (!answer.ok) throw new Error(String(answer.status));
      data = await answer.json();
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = "The prospects did not arrive. The table holds them all; reload the page to try again.";
      return;
    }
    rows = data.prospects;
    index = new Map(rows.id.map((id, i) => [id, i]));
    selected = hovered = -1;
    data.offices.name.forEach((name, row) => {
      const mark = box.querySelector(`.map-office-${row}`);
      mark?.setAttribute("role", "img"); mark?.setAttribute("aria-label", `Office: ${name}`);
    });
    redraw();
    say("loaded", {total: rows.id.length, placed: rows.lon.filter((v) => v != null).length});
    if (wanted != null) select(index.get(wanted) ?? -1, "page");
    box.dataset.ready = "true";
  }

  ink = S.palette(box);
  map.attributionControl.setPrefix(false);
  load();
}
