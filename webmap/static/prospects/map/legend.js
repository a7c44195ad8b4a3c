/* How many of how many are in view, and what the symbols in view stand for. Every word comes with the answer. */
"use strict";

/** Put the count and the legend into the box of a map. */
function prospectLegend(box, map, data, picture, focus) {
  const {make, count} = mapParts, S = prospectSymbols;
  const status = make("p", {className: "map-count"}), list = make("div", {}), key = make("details", {className: "map-legend"}, make("summary", {textContent: "Legend"}), list);
  status.setAttribute("role", "status");
  key.open = box.clientWidth > 600;
  for (const element of [status, key]) L.DomEvent.disableClickPropagation(element);

  /** Say what is in view. */
  function show(inView) {
    const {total, shown, placed} = data.answer, text = [make("b", {textContent: count(inView)}), ` of ${count(placed)} in view`];
    if (shown < total) text.push(`, ${count(total - shown)} filtered out`);
    if (placed < shown) text.push(`, ${count(shown - placed)} without a location`);
    status.replaceChildren(...text);
    const sections = [...(data.answer.density ? densitySections() : symbolSections()), spokeSection()].filter(Boolean);
    list.replaceChildren(...sections);
    key.hidden = !sections.length;
  }

  /** One line of the legend: its title and its entries; null without any. */
  function section(title, entries) {
    if (!entries.length) return null;
    const element = make("ul", {}, make("li", {className: "what", textContent: title}), ...entries);
    element.setAttribute("aria-label", title);
    return element;
  }

  const densitySections = () => {
    const {title, words} = data.answer.density;
    return [section(`Density: ${title}`, words.map((text, n) => make("li", {}, thumbnail(16, (g) => S.square(g, 0, 0, 14, n, picture.ink)), text)))];
  };

  function symbolSections() {
    const view = map.getPixelBounds(), corner = map.getPixelOrigin(), inside = (item) => view.contains([item.x + corner.x, item.y + corner.y]);
    const looks = picture.items.filter(inside).flatMap((item) => item.members).map(picture.looks), ofAll = (name) => new Set(looks.map((one) => one[name]));
    const shapes = ofAll("shape"), colours = ofAll("colour"), steps = ofAll("step"), grey = picture.ink.text2;
    const {shapes: standings, sizes, colours: {title, words, rest}} = data.answer, names = [...words, ...Array(Math.max(0, 7 - words.length)), rest];
    const entry = (text, ...look) => make("li", {}, swatch(...look), text);
    return [
      section("Shape: status", standings.filter(([shape]) => shapes.has(shape)).map(([shape, text]) => entry(text, shape, grey))),
      section(`Colour: ${title}`, names.map((name, n) => name && colours.has(n) ? entry(name, "circle", picture.hue(n)) : null).filter(Boolean)),
      sizes && section(`Size: ${sizes.title}`, sizes.words.map((name, n) => steps.has(n) ? entry(name, "circle", grey, n) : null).filter(Boolean)),
    ];
  }

  const spokeSection = () => focus.spokes.length && section("Lines", [make("li", {}, thumbnail(16, (g) => S.site(g, 0, 0, picture.ink)), "Site of the chosen company")]);

  /** A small picture, drawn by `paint` round 0, 0. */
  function thumbnail(side, paint) {
    const dense = devicePixelRatio || 1, element = make("canvas", {className: `map-swatch${side > 16 ? " wide" : ""}`, width: side * dense, height: side * dense}), g = element.getContext("2d");
    element.setAttribute("aria-hidden", "true");
    g.setTransform(dense, 0, 0, dense, side / 2 * dense, side / 2 * dense);
    paint(g);
    return element;
  }

  const swatch = (shape, colour, step) => thumbnail(step == null ? 16 : 24, (g) => S.dot(g, shape, colour, picture.ink, step));
  return {status, key, show, swatch, note: (words) => { status.textContent = words; }};
}
