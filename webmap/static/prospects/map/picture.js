/* The picture of the prospects: symbols, clusters, squares, spokes and labels on one canvas over the map. */
"use strict";

/** Make the picture. `data` is what there is to draw, `focus` what is chosen and pointed at, by id: `selected`, `hovered`,
 * `ghost` (a point that is pointed at though its prospect is in a cluster), `opened` (ids that are fanned out), `spokes`
 * (sites of the chosen one) and `pointedSite`. The offices are folium's; their words are ours. */
function prospectPicture(map, data, focus, offices, limit) {
  const S = prospectSymbols, PAD = 0.2, LOOSE_ZOOM = 14, OFFICE_PX = 12;
  const canvas = mapParts.make("canvas", {className: "map-canvas leaflet-zoom-animated"}), pen = canvas.getContext("2d"), rings = new Map();
  const picture = {items: [], ink: null, dress: () => { picture.ink = S.palette(map.getContainer()); }};
  picture.dress();
  canvas.setAttribute("aria-hidden", "true");
  map.createPane("prospects").style.zIndex = 590;
  map.getPane("prospects").append(canvas);

  /** The copy of a point that is nearest to the middle: the world repeats at the antimeridian. */
  const pointAt = (lat, lon) => map.latLngToLayerPoint(mapParts.near(map, lat, lon));
  const officeAt = (row) => pointAt(offices.lat[row], offices.lon[row]);
  const pixel = (i) => pointAt(data.rows.lat[i], data.rows.lon[i]);
  const step = (i) => data.rows.step.length ? data.rows.step[i] : null;
  picture.hue = (n) => picture.ink.segments[n] || picture.ink.other;
  picture.looks = (i) => ({shape: data.rows.shape[i], colour: data.rows.colour[i], step: step(i)});
  /** Where a prospect stands in the picture: its own symbol, or its true place when it is inside a cluster. */
  picture.whereabouts = (i) => picture.items.find((item) => item.count === 1 && item.members[0] === i) || pixel(i);
  picture.id = (item) => item && item.members.length === 1 && item.count === 1 ? data.rows.id[item.members[0]] : null;

  /** Draw all. What `covers`, elements over the map, lie on gets no label. Gives the number of prospects in view. */
  picture.draw = (covers) => {
    const size = map.getSize(), pad = size.multiplyBy(PAD).round(), origin = map.containerPointToLayerPoint([0, 0]).subtract(pad), full = size.add(pad.multiplyBy(2));
    const dense = devicePixelRatio || 1;
    L.DomUtil.setTransform(canvas, origin, 1);
    canvas.origin = map.layerPointToLatLng(origin);
    if (canvas.width !== full.x * dense || canvas.height !== full.y * dense) {
      canvas.width = full.x * dense; canvas.height = full.y * dense;
      canvas.style.width = `${full.x}px`; canvas.style.height = `${full.y}px`;
    }
    const view = L.bounds(map.containerPointToLayerPoint([0, 0]), map.containerPointToLayerPoint(size));
    const inView = arrange(L.bounds(origin, origin.add(full)), view);
    pen.setTransform(dense, 0, 0, dense, -origin.x * dense, -origin.y * dense);
    pen.clearRect(origin.x, origin.y, full.x, full.y);
    drawItems();
    drawLabels(view, covers);
    return data.isCut() ? data.answer.in_view : inView;
  };

  /** Put every prospect within `wide` into an item; gives how many of them are in `view`. Items are arranged in the
   * pixels of the world, in which a drag moves nothing. */
  function arrange(wide, view) {
    const world = map.getPixelOrigin(), points = [], fanned = [], crowds = data.answer.clusters;
    let inView = 0;
    for (let i = 0; i < data.answer.in_points; i++) {
      const p = pixel(i);
      if (!wide.contains(p)) continue;
      if (view.contains(p)) inView++;
      (focus.opened?.has(data.rows.id[i]) ? fanned : points).push({i, n: 1, x: p.x + world.x, y: p.y + world.y});
    }
    crowds.count.forEach((n, k) => {
      const p = pointAt(crowds.lat[k], crowds.lon[k]);
      points.push({i: -1, n, x: p.x + world.x, y: p.y + world.y});
    });
    const keepOff = offices.id.map((_, row) => { const p = officeAt(row); return {x: p.x + world.x, y: p.y + world.y, r: OFFICE_PX}; });
    const items = picture.items = data.answer.density ? squares(world) : S.arrange(points, map.getZoom() >= LOOSE_ZOOM, keepOff);
    if (fanned.length) items.push(...S.spread(fanned, 20));
    for (const item of items) {
      item.x -= world.x; item.y -= world.y;
      if (item.at) item.at = {x: item.at.x - world.x, y: item.at.y - world.y};
    }
    return inView;
  }

  /** The squares of the density as items: their number is the server's, whoever is in them. */
  function squares(world) {
    const {x, y, count, px, zoom, limits} = data.answer.density, side = px * map.getZoomScale(map.getZoom(), zoom);
    return count.map((n, k) => {
      const {lat, lng} = map.unproject([(x[k] + 0.5) * px, (y[k] + 0.5) * px], zoom), p = pointAt(lat, lng);
      return {x: p.x + world.x, y: p.y + world.y, count: n, members: [], points: [], r: side / 2, step: limits.filter((least) => n >= least).length, side};
    });
  }

  function drawItems() {
    const {items, ink} = picture;
    for (const item of items) {
      if (!item.at) continue;
      pen.beginPath(); pen.moveTo(item.at.x, item.at.y); pen.lineTo(item.x, item.y);
      pen.lineWidth = 1; pen.strokeStyle = ink.leg; pen.stroke();
    }
    drawSpokes();
    for (const item of items) if (item.side) S.square(pen, item.x, item.y, item.side, item.step, ink);
    for (const item of items) if (item.count === 1 && !item.side) stamp(item.members[0], item);
    for (const item of items) if (item.count > 1 && !item.side) S.bubble(pen, item, ink);
    if (focus.ghost && data.row(focus.hovered) == null) halo(pointAt(focus.ghost.lat, focus.ghost.lon), 2);
    for (const [id, width] of [[focus.hovered, 2], [focus.selected, 2.5]]) {
      const i = data.row(id);
      if (!data.isPlaced(i)) continue;
      const at = picture.whereabouts(i);
      halo(at, width);
      stamp(i, at);
    }
  }

  /** Lines from the chosen headquarters to its sites, under all symbols. */
  function drawSpokes() {
    const i = data.row(focus.selected), {ink} = picture;
    if (!focus.spokes.length || !data.isPlaced(i)) return;
    const from = picture.whereabouts(i), ends = focus.spokes.map(({lat, lon}) => pointAt(lat, lon));
    pen.setLineDash([]);
    for (const [width, colour] of [[3.5, ink.halo], [1.25, ink.text2]]) {
      pen.lineWidth = width; pen.strokeStyle = colour;
      for (const to of ends) { pen.beginPath(); pen.moveTo(from.x, from.y); pen.lineTo(to.x, to.y); pen.stroke(); }
    }
    ends.forEach((to, k) => S.site(pen, to.x, to.y, ink, focus.spokes[k].id === focus.pointedSite));
  }

  function halo({x, y}, width) {
    pen.beginPath(); pen.arc(x, y, 11, 0, 7); pen.fillStyle = picture.ink.halo; pen.globalAlpha = 0.7; pen.fill(); pen.globalAlpha = 1;
    pen.lineWidth = width; pen.strokeStyle = picture.ink.text; pen.stroke();
  }

  function stamp(i, {x, y}) {
    const {shape, colour, step: size} = picture.looks(i);
    pen.save(); pen.translate(x, y);
    S.dot(pen, shape, picture.hue(colour), picture.ink, size);
    pen.restore();
  }

  /** Write the names of the offices and of their rings where nothing is in the way, else not at all. */
  function drawLabels(view, covers) {
    const full = picture.items.map((item) => ({x: item.x - item.r, y: item.y - item.r, w: 2 * item.r, h: 2 * item.r}));
    for (const e of covers) full.push({x: view.min.x + e.offsetLeft, y: view.min.y + e.offsetTop, w: e.offsetWidth, h: e.offsetHeight});
    const free = (b) => b.x > view.min.x && b.y > view.min.y && b.x + b.w < view.max.x && b.y + b.h < view.max.y &&
      full.every((t) => b.x + b.w < t.x || t.x + t.w < b.x || b.y + b.h < t.y || t.y + t.h < b.y);
    const put = (text, x, y, options) => {
      pen.font = `${options.bold ? 600 : 400} ${options.size || 12}px ${picture.ink.font}`;
      const w = pen.measureText(text).width, b = {x: options.align === "right" ? x - w : options.align === "center" ? x - w / 2 : x, y: y - 8, w, h: 16};
      if (!free(b)) return false;
      full.push(b);
      S.label(pen, text, x, y, picture.ink, options);
      return true;
    };
    offices.name.forEach((name, row) => {
      const p = officeAt(row);
      if (!view.contains(p)) return;
      full.push({x: p.x - 10, y: p.y - 10, w: 20, h: 20});
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

  /** Take over the rings that folium drew: their class says whose they are. */
  picture.findRings = () => map.eachLayer((layer) => {
    const name = /map-ring-(\d+)/.exec(layer.options.className);
    if (name) rings.set(Number(name[1]), layer);
  });

  map.on("zoomanim", ({center, zoom}) => {  // the old picture grows or shrinks until there is a new one
    if (canvas.origin) L.DomUtil.setTransform(canvas, map._latLngToNewLayerPoint(canvas.origin, zoom, center), map.getZoomScale(zoom));
  });
  return picture;
}
