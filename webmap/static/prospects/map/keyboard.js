/* The symbols by keyboard: one button, the one tab stop, that stands on one symbol at a time. Arrows move to the next
 * symbol that way, Enter opens it, Escape closes. */
"use strict";

/** Make the button and the line that is read out. `pointer` does what a press means. */
function prospectKeyboard(map, data, picture, pointer) {
  const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}, SAME_PX = 32;
  const cursor = mapParts.make("button", {type: "button", className: "map-cursor", hidden: true}), spoken = mapParts.make("p", {className: "map-spoken"});
  spoken.setAttribute("aria-live", "polite");
  L.DomEvent.disableClickPropagation(cursor);
  let stand = null, standId = null, standAt = null;  // its symbol, which every picture makes anew; by id and place it is the same

  const words = (item) => item.side ? `${pointer.together(item)}, Enter shows them`
    : item.count > 1 ? `${pointer.together(item)} together, Enter shows them` : data.sentence(item.members[0]);

  /** Stand on a symbol: on `to`, else where the button stood before, else nearest to the middle. */
  function move(to) {
    const size = map.getSize(), inside = (item) => { const p = map.layerPointToContainerPoint([item.x, item.y]); return p.x > 0 && p.y > 0 && p.x < size.x && p.y < size.y; };
    const visible = picture.items.filter(inside), far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
    const closest = (point, most) => visible.filter((item) => far(item, point) < most).sort((a, b) => far(a, point) - far(b, point))[0];
    const same = () => (standId && visible.find((item) => picture.id(item) === standId)) || (standAt && closest(map.latLngToLayerPoint(standAt), SAME_PX));
    stand = to || same() || closest(map.containerPointToLayerPoint(size.divideBy(2)), Infinity) || null;
    cursor.hidden = !stand;
    if (!stand) return;
    standId = picture.id(stand); standAt = map.layerPointToLatLng([stand.x, stand.y]);
    const p = map.layerPointToContainerPoint([stand.x, stand.y]), r = stand.r + 5;
    Object.assign(cursor.style, {width: `${2 * r}px`, height: `${2 * r}px`, transform: `translate(${p.x - r}px, ${p.y - r}px)`});
    cursor.setAttribute("aria-label", words(stand));
    if (to) spoken.textContent = words(stand);
  }

  /** The next symbol that way: the shortest way along, with twice the way aside. */
  function neighbour([right, down]) {
    let best = null, least = Infinity;
    for (const item of picture.items) {
      const dx = item.x - stand.x, dy = item.y - stand.y, along = dx * right + dy * down, aside = Math.abs(dx * down) + Math.abs(dy * right);
      if (item !== stand && along > 0.5 && along + 2 * aside < least) { least = along + 2 * aside; best = item; }
    }
    return best;
  }

  cursor.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { pointer.close(); return; }
    const way = WAYS[event.key];
    if (!way || !stand) return;
    event.preventDefault(); event.stopPropagation();
    const item = neighbour(way);
    if (!item) return;
    const at = map.layerPointToLatLng([item.x, item.y]);
    if (!map.getBounds().contains(at)) map.panTo(at, {animate: false});
    move(item);
    pointer.hover(picture.id(item), "map", item);
  });
  cursor.addEventListener("click", () => stand && pointer.activate(stand));
  cursor.addEventListener("blur", () => pointer.hover(null, "map"));
  return {cursor, spoken, move};
}
