/* What the map knows: it asks the server for what is in view, keeps the answer by columns, and says it in words.
 *
 * The last question counts, and none is asked whose answer is here. Where a zoom ends is known as it begins: it is
 * asked then, and the answer waits until the map has landed. */
"use strict";

/** Ask for the prospects of a map. `alsoId` gives the id of one that is to be in the answer wherever it is, `onAnswer` hears
 * of every new one (true: the first of its address), `note` is told what the reader should know meanwhile. */
function prospectData(map, {alsoId, onAnswer, note}) {
  const PAD = 0.2, DEBOUNCE_MS = 60, LATE_MS = 300;
  const box = map.getContainer(), miles = (n) => n.toLocaleString("en-US", {minimumFractionDigits: 1, maximumFractionDigits: 9});
  const data = {answer: null, rows: null};  // rows: one array per field, new with every answer
  let question = box.closest("[data-view]").dataset.view, index = new Map(), loaded = null, shapeWords = new Map();
  let pending = null, timer = 0, isNew = true, zoomed = false, flying = false, asked = null, landing = null;

  // ---- what is known, prospects by the number of their row
  data.row = (id) => index.get(id);
  data.isPlaced = (i) => i != null && data.rows.lon[i] != null;
  /** Whether what was answered stands for its zoom alone: counted by cells or squares. */
  data.isCut = () => Boolean(data.answer.density) || data.answer.clusters.count.length > 0;
  data.place = (i) => [data.rows.city[i], data.rows.state[i]].filter(Boolean).join(", ");
  data.standing = (i) => shapeWords.get(data.rows.shape[i]);
  data.distance = (i) => data.rows.miles[i] != null && `${miles(data.rows.miles[i])} mi from ${data.rows.office[i]}`;
  data.sentence = (i) => [data.rows.name[i], data.standing(i), data.rows.segment[i], data.place(i), data.distance(i), data.rows.verdict[i]].filter(Boolean).join(", ");

  // ---- asking
  const viewNow = () => ({zoom: map.getZoom(), bounds: map.getBounds()});
  const holds = ({bounds}) => loaded && !data.isCut() && loaded.contains(bounds);

  function addressOf({zoom, bounds}) {
    const url = new URL(question, location.href);
    url.searchParams.set("bbox", [bounds.getWest(), Math.max(bounds.getSouth(), -90), bounds.getEast(), Math.min(bounds.getNorth(), 90)].map((n) => n.toFixed(5)).join(","));
    url.searchParams.set("zoom", zoom);
    if (alsoId() != null) url.searchParams.set("prospect", alsoId());
    return url.href;
  }

  /** Ask anew, at another address if one is given. */
  data.reload = (url) => { if (url) question = url; isNew = true; return data.load(); };

  data.load = async (view = viewNow()) => {
    clearTimeout(timer);
    pending?.abort();
    box.dataset.ready = "false";
    const mine = pending = new AbortController(), url = asked = addressOf(view), bounds = view.bounds.pad(PAD);
    landing = null;
    const late = setTimeout(() => { note("Updating…"); box.classList.add("map-late"); }, LATE_MS);
    let answer = null;
    try {
      const response = await fetch(url, {signal: mine.signal, headers: {Accept: "application/json"}});
      if (!response.ok) throw new Error(String(response.status));
      answer = await response.json();
    } catch (error) {
      if (error.name !== "AbortError") note("The prospects did not arrive. The table holds them all; reload the page to try again.");
    }
    clearTimeout(late);
    if (pending !== mine) return;
    box.classList.remove("map-late");
    if (!answer) asked = null;
    else if (flying) landing = {address: url, answer, bounds};
    else take(answer, bounds);
  };

  /** Take over an answer: its columns, with every word in its place. */
  function take(answer, bounds) {
    const rows = {...answer.points};
    for (const [name, column] of Object.entries(rows)) if (!Array.isArray(column)) rows[name] = column.of.map((n) => column.values[n]);
    Object.assign(data, {answer, rows});
    loaded = bounds; index = new Map(rows.id.map((id, i) => [id, i])); shapeWords = new Map(answer.shapes);
    const first = isNew;
    isNew = false;
    onAnswer(first);
    box.dataset.ready = "true";
  }

  /** Take what was answered while the map was on its way to where it stands now, if that is so. */
  data.land = () => {
    const due = flying ? null : landing;
    if (!due) return false;
    landing = null;
    if (due.address !== addressOf(viewNow())) return false;
    take(due.answer, due.bounds);
    return true;
  };

  /** Ask for where the map stands, unless that is here or on its way. */
  data.soon = () => {
    if (!data.rows) return;
    clearTimeout(timer);
    if (flying || asked === addressOf(viewNow()) || holds(viewNow())) return;
    box.dataset.ready = "false";
    timer = setTimeout(() => data.load(), zoomed ? 0 : DEBOUNCE_MS);  // a zoom has ended, a drag may go on
    zoomed = false;
  };

  map.on("zoomend", () => { zoomed = true; flying = false; });
  map.on("zoomanim", ({center, zoom}) => {
    if (!data.rows) return;
    flying = true;
    const corner = map._getNewPixelOrigin(center, zoom).subtract(map._getMapPanePos()), end = corner.add(map.getSize());
    const view = {zoom, bounds: L.latLngBounds(map.unproject([corner.x, end.y], zoom), map.unproject([end.x, corner.y], zoom))};
    if (!holds(view)) data.load(view);
  });
  return data;
}
