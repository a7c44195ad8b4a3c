/* What the scripts of all maps do alike: make elements, follow the size of the box and the light or dark scheme. */
"use strict";

const mapParts = (() => {
  const dark = matchMedia("(prefers-color-scheme: dark)"), still = matchMedia("(prefers-reduced-motion: reduce)");

  /** Make an element with properties and children; null is no child. Texts become text nodes, never HTML. */
  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child != null));
    return element;
  }

  /** Call back when the reader's scheme changes, after the ground follows it. */
  function followScheme(map, changed = () => {}) {
    dark.addEventListener("change", () => {
      map.eachLayer((layer) => { if (layer.options.scheme) { layer.options.scheme = dark.matches ? "dark" : "light"; layer.redraw(); } });
      changed();
    });
  }

  /** Take over every new size of the box that the map stands in. */
  function followSize(map, changed = () => {}) {
    new ResizeObserver(() => { map.invalidateSize({animate: false}); changed(); }).observe(map.getContainer());
  }

  /** Name the marks of the offices, which folium drew without a word. */
  function nameOffices(box, names) {
    names.forEach((name, row) => {
      const mark = box.querySelector(`.map-office-${row}`);
      mark?.setAttribute("role", "img"); mark?.setAttribute("aria-label", `Office: ${name}`);
    });
  }

  /** A place on the turn of the world that the map shows: within 180 degrees of `lng`, or of the middle of the map. */
  const near = (map, lat, lon, lng = map.getCenter().lng) => [lat, lon + 360 * Math.round((lng - lon) / 360)];

  return {make, near, followScheme, followSize, nameOffices, count: new Intl.NumberFormat("en-US").format, isStill: () => still.matches};
})();
