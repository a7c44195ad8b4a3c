/* What the prospect layer draws, and where: symbols, clusters, labels. Knows no Leaflet, fetches nothing.
 *
 * Shapes are circle, hollow circle, square, hollow square and cross; what each stands for is the server's to say
 * (webmap/prospects/symbology.py). Colours come from the tokens of the page. */
"use strict";

const prospectSymbols = (() => {
  const CELL = 44;          // px: prospects in one cell of this size are counted together ...
  const CROWD = 5;          // ... when there are at least so many; fewer are drawn one by one
  const DOT = 6;
  const TINTS = [15, 50, 100, Infinity];
  const SIZES = [4, 4.5, 6, 8, 11];  // px: radius of a symbol whose value is not known, small ... large

  /** Read the tokens that the drawing needs, in the scheme that is on now. */
  function palette(element) {
    const style = getComputedStyle(element), read = (name) => style.getPropertyValue(name).trim();
    return {
      segments: [1, 2, 3, 4, 5, 6, 7].map((n) => read(`--cat-${n}`)), other: read("--cat-8"),
      edge: read("--dot-edge"), surface: read("--surface"), text: read("--text"), text2: read("--text-2"), halo: read("--map-halo"),
      clusters: [1, 2, 3, 4].map((n) => [read(`--cl-${n}`), read(`--cl-${n}-ink`)]), clusterEdge: read("--cl-edge"),
      density: [1, 2, 3, 4, 5].map((n) => read(`--seq-${n}`)), line: read("--text-3"),
      leg: read("--line-strong"), font: read("--font") || "sans-serif",
    };
  }

  /** Radius of a cluster: 9 to 24 px, growing with the logarithm of its count. */
  const radius = (count) => Math.min(24, 9 + 6.6 * Math.log10(count));

  const tint = (count) => TINTS.findIndex((limit) => count < limit);

  /** Turn points into items {x, y, count, members, points, r, at}: one prospect each, or a cluster of several.
   *
   * A point {i, n, x, y} is prospect number i, or n of them that the server counted together. Every one ends in
   * exactly one item, so the counts add up. Cells are counted in the plane of the zoom, not of the window, so that
   * dragging the map changes no cluster. `loose` draws all but shared points one by one.
   * What would stand on one of `keepOff` (the offices, {x, y, r}) moves beside it. */
  function arrange(points, loose, keepOff = []) {
    const cells = new Map(), counted = [];
    for (const p of points) {
      if (p.n > 1) { counted.push(cluster([p])); continue; }
      const size = loose ? 1 : CELL, key = `${Math.floor(p.x / size)}:${Math.floor(p.y / size)}`;
      (cells.get(key) || cells.set(key, []).get(key)).push(p);
    }
    let clusters = counted, single = [];
    for (const members of cells.values()) {
      if (members.length >= CROWD) clusters.push(cluster(members));
      else single.push(...members);
    }
    for (let before = -1; before !== clusters.length + single.length;) {
      before = clusters.length + single.length;
      clusters = merge(clusters);
      for (const one of clusters) {
        const {x, y} = one;
        if (stepAside(one, keepOff)) one.at = one.at || {x, y};
      }
      single = absorb(clusters, single);
    }
    const dots = fan(single);
    for (const one of dots) {
      const {x, y} = one;
      if (stepAside(one, keepOff)) one.at = one.at || {x, y};
    }
    return clusters.concat(dots);
  }

  /** Move an item off what it must not cover, straight away from it. */
  function stepAside(item, keepOff) {
    let moved = false;
    for (const spot of keepOff) {
      const dx = item.x - spot.x, dy = item.y - spot.y, far = Math.hypot(dx, dy), least = item.r + spot.r;
      if (far >= least) continue;
      const [ux, uy] = far > 0.5 ? [dx / far, dy / far] : [-0.7, -0.7];
      item.x = spot.x + ux * least; item.y = spot.y + uy * least;
      moved = true;
    }
    return moved;
  }

  function cluster(points) {
    let x = 0, y = 0, count = 0;
    for (const p of points) { x += p.n * p.x; y += p.n * p.y; count += p.n; }
    return {x: x / count, y: y / count, count, members: points.filter((p) => p.n === 1).map((p) => p.i), points, r: radius(count)};
  }

  /** Unite clusters that would overlap, the largest first. */
  function merge(clusters) {
    const kept = [];
    for (const one of clusters.sort((a, b) => b.count - a.count)) {
      const near = kept.findIndex((k) => Math.hypot(k.x - one.x, k.y - one.y) < k.r + one.r + 1);
      if (near < 0) kept.push(one);
      else kept[near] = cluster(kept[near].points.concat(one.points));
    }
    return kept;
  }

  /** Let a cluster take the points under it. */
  function absorb(clusters, single) {
    const free = [], taken = clusters.map(() => []);
    for (const p of single) {
      const under = clusters.findIndex((k) => Math.hypot(k.x - p.x, k.y - p.y) < k.r + DOT - 2);
      if (under < 0) free.push(p); else taken[under].push(p);
    }
    taken.forEach((points, k) => { if (points.length) clusters[k] = cluster(clusters[k].points.concat(points)); });
    return free;
  }

  /** Spread the few that share a point round it, so that each can be seen and hit. */
  function fan(points) {
    const places = new Map();
    for (const p of points) {
      const key = `${Math.round(p.x)}:${Math.round(p.y)}`;
      (places.get(key) || places.set(key, []).get(key)).push(p);
    }
    const items = [];
    for (const group of places.values()) items.push(...spread(group, group.length > 1 ? DOT + 1.5 * group.length : 0));
    return items;
  }

  /** Place members on a circle round their mean; a crowd goes on several circles. */
  function spread(group, inner) {
    const x = group.reduce((sum, p) => sum + p.x, 0) / group.length, y = group.reduce((sum, p) => sum + p.y, 0) / group.length;
    const items = [];
    for (let start = 0, ring = inner; start < group.length; ring += 18) {
      const room = group.length <= 6 ? group.length : Math.max(6, Math.floor(2 * Math.PI * ring / 17)), here = group.slice(start, start + room);
      here.forEach((p, k) => {
        const angle = 2 * Math.PI * k / here.length - Math.PI / 2;
        items.push({x: x + ring * Math.cos(angle), y: y + ring * Math.sin(angle), count: 1, members: [p.i], points: [p], r: DOT, at: ring ? {x, y} : null});
      });
      start += room;
    }
    return items;
  }

  /** Draw one prospect at 0, 0; `step` is its size, none the usual one. */
  function dot(g, shape, colour, p, step) {
    if (step != null) g.scale(SIZES[step] / DOT, SIZES[step] / DOT);
    g.beginPath();
    if (shape === "square") {
      g.roundRect(-5.5, -5.5, 11, 11, 2);
      paint(g, colour, p.edge, 1.5);
    } else if (shape === "hollow square") {
      g.beginPath(); g.roundRect(-6.5, -6.5, 13, 13, 3); g.fillStyle = p.edge; g.fill();
      g.beginPath(); g.roundRect(-4.25, -4.25, 8.5, 8.5, 1.5);
      paint(g, p.surface, colour, 2.5);
    } else if (shape === "cross") {
      for (const [width, ink] of [[5, p.edge], [2.4, colour]]) {
        g.beginPath(); g.moveTo(-4.2, -4.2); g.lineTo(4.2, 4.2); g.moveTo(4.2, -4.2); g.lineTo(-4.2, 4.2);
        g.lineCap = "round"; g.lineWidth = width; g.strokeStyle = ink; g.stroke();
      }
    } else if (shape === "circle") {
      g.arc(0, 0, DOT, 0, 7);
      paint(g, colour, p.edge, 1.5);
    } else {
      g.arc(0, 0, DOT + 0.5, 0, 7); g.fillStyle = p.edge; g.fill();
      g.beginPath(); g.arc(0, 0, DOT - 1.25, 0, 7);
      paint(g, p.surface, colour, 2.5);
    }
  }

  function paint(g, fill, stroke, width) {
    g.fillStyle = fill; g.fill();
    g.lineWidth = width; g.strokeStyle = stroke; g.stroke();
  }

  const counted = new Intl.NumberFormat("en-US").format;  // made once: making one takes as long as drawing ten circles

  function bubble(g, item, p) {
    const [fill, ink] = p.clusters[tint(item.count)], words = counted(item.count);
    g.beginPath(); g.arc(item.x, item.y, item.r, 0, 7);
    paint(g, fill, p.clusterEdge, 1);
    g.fillStyle = ink; g.font = `600 ${words.length > 6 ? 9 : words.length > 5 ? 10 : 11}px ${p.font}`; g.textAlign = "center"; g.textBaseline = "middle";
    g.fillText(words, item.x, item.y + 0.5);
  }

  /** Draw one square of the density, side px wide round x, y: one hue, five steps, an edge so that the palest shows. */
  function square(g, x, y, side, step, p) {
    const left = Math.round(x - side / 2), top = Math.round(y - side / 2);
    g.globalAlpha = 0.8; g.fillStyle = p.density[step]; g.fillRect(left, top, side, side);
    g.globalAlpha = 0.5; g.lineWidth = 1; g.strokeStyle = p.line; g.strokeRect(left + 0.5, top + 0.5, side - 1, side - 1);
    g.globalAlpha = 1;
  }

  /** Draw one site of a company, a small diamond: no headquarters and no prospect looks like it. */
  function site(g, x, y, p, isPointed = false) {
    const r = isPointed ? 8 : 5;
    g.beginPath(); g.moveTo(x, y - r); g.lineTo(x + r, y); g.lineTo(x, y + r); g.lineTo(x - r, y); g.closePath();
    paint(g, p.text, p.edge, 1.5);
  }

  /** Write a label with a halo in the colour of the ground. */
  function label(g, text, x, y, p, {bold = false, align = "left", size = 12, over = false} = {}) {
    g.font = `${bold ? 600 : 400} ${size}px ${p.font}`; g.textAlign = align; g.textBaseline = "middle";
    if (over) {  // what it lies on is covered, so that a dashed line does not run through the letters
      const w = g.measureText(text).width + 8;
      g.globalAlpha = 0.9; g.fillStyle = p.halo; g.beginPath(); g.roundRect(x - w / 2, y - 8, w, 16, 4); g.fill(); g.globalAlpha = 1;
    }
    g.lineJoin = "round"; g.lineWidth = 3.5; g.strokeStyle = p.halo; g.strokeText(text, x, y);
    g.fillStyle = bold ? p.text : p.text2; g.fillText(text, x, y);
  }

  return {palette, arrange, spread, dot, bubble, square, site, label, radius};
})();
