/* The overview of a folium map: every market with its name and number of prospects, as links where they may be opened.
 *
 * Data: the map's element carries data-markets="URL" (JSON of webmap.maps.overview_data) and, for whoever may open
 * one, data-market="URL with {id}", the page of a market. Names are written with textContent. The largest markets are named first; a name that
 * would meet another gives way to a dot, which is the same link and tells its name when pointed at or focused. */
"use strict";

function marketOverview(map) {
  const {make, count} = mapParts, box = map.getContainer();
  let flags = [];

  function flag(markets, i) {
    const page = box.dataset.market, prospects = count(markets.prospects[i]), link = make(page ? "a" : "span", {className: "map-flag"},
      make("span", {className: "map-flag-name", textContent: markets.name[i]}), make("b", {textContent: prospects}));
    if (page) {
      link.href = page.replace("{id}", encodeURIComponent(markets.id[i]));
      link.setAttribute("aria-label", `${markets.name[i]} ${prospects} prospects`);
    }
    const area = box.querySelector(`.map-area-${i}`), light = (on) => area?.classList.toggle("on", on);
    for (const [name, on] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) link.addEventListener(name, () => light(on));
    L.DomEvent.disableClickPropagation(link);
    return L.marker(mapParts.near(map, markets.lat[i], markets.lon[i]), {keyboard: false, zIndexOffset: 1000, icon: L.divIcon({html: link, className: "map-flag-box", iconSize: null})}).addTo(map);
  }

  /** Give way where names would meet or leave the map: first the name goes, then the number. The order of the data
   * is the order of rank. */
  function declutter() {
    const taken = [], edge = box.getBoundingClientRect();
    const fits = (b) => b.left > edge.left && b.right < edge.right &&
      taken.every((t) => b.left >= t.right + 2 || t.left >= b.right + 2 || b.top >= t.bottom + 2 || t.top >= b.bottom + 2);
    for (const marker of flags) {
      const e = marker.getElement();
      e.classList.remove("small", "tiny");
      for (const size of ["small", "tiny"]) {
        if (fits(e.firstChild.getBoundingClientRect())) break;
        e.classList.add(size);
      }
      taken.push(e.firstChild.getBoundingClientRect());
    }
  }

  async function load() {
    const answer = await fetch(box.dataset.markets, {headers: {Accept: "application/json"}});
    if (!answer.ok) return;
    const data = await answer.json();
    flags = data.markets.id.map((_, i) => flag(data.markets, i));
    mapParts.nameOffices(box, data.offices.name);
    map.on("zoomend resize", declutter);
    declutter();
    box.dataset.ready = "true";
  }

  mapParts.followScheme(map);
  mapParts.followSize(map);
  map.attributionControl.setPrefix(false);
  load();
}
