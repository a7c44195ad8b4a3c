/* Keeps the market page in step without loading it anew: filters, list, map and card.
   Every address works without this script; here the same address is asked for its parts alone, and they are put in place
   (parts.js). The page
   says its own address (data-address); where the map stands is added to it as at=zoom,lat,lon. A position of the
   browser is asked for by its button only, sent with the query and written nowhere: not into the address either. */
"use strict";
(() => {
  const main = document.querySelector("main[data-app=market]");
  const rail = document.getElementById("filters");
  if (!main || !rail) return;
  const ROUND = 4, TYPING_MS = 180, OFFER_MS = 90, LATE_MS = 300;  // digits of a degree: 11 m
  const search = rail.elements.q, nearby = rail.elements.near, nearStatus = rail.querySelector("[data-near]"), picker = rail.querySelector("[data-pick]"), offered = document.getElementById("suggestions");
  let fetching = null, here = main.dataset.address, drawn = main.dataset.view && viewOf(here), me = null, at = new URL(location.href).searchParams.get("at");

  const {find: part, ask} = pageParts, list = part("list");
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail: {...detail, from: "list"}}));
  const chosen = () => new URL(location.href).searchParams.get("prospect");
  /** Bring the chosen row into the list's own view, without moving the page. */
  function reveal() {
    const row = list.querySelector("[aria-current=true]");
    if (row && getComputedStyle(list).overflowY === "auto") list.scrollTop = Math.max(0, row.offsetTop - list.clientHeight / 2);
  }

  /** The page's own address as it is kept and sent on: with the view of the map, without the reader's position. */
  function kept(address) {
    const url = new URL(address, location.href);
    if (me && url.searchParams.get("near")?.startsWith(`${me},`)) url.searchParams.delete("near");
    if (at) url.searchParams.set("at", at); else url.searchParams.delete("at");
    return url;
  }

  /** What the map asks of an address of this page: its filters, in one order, whatever the list does with them. */
  function viewOf(address) {
    const view = new URL(main.dataset.view, location.href), market = view.searchParams.get("market");
    view.search = new URL(address, location.href).search;
    for (const name of ["prospect", "page", "sort", "at"]) view.searchParams.delete(name);
    view.searchParams.set("market", market);
    view.searchParams.sort();
    return view.href;
  }

  async function show(address, {push = true} = {}) {
    const url = new URL(address, location.href);
    url.hash = ""; url.searchParams.delete("at");
    if (drawn && viewOf(url) !== drawn) tell("reload", {url: drawn = viewOf(url)});  // map and list are asked at once
    fetching?.abort();
    const mine = fetching = new AbortController();
    const late = setTimeout(() => main.classList.add("busy"), LATE_MS);
    try {
      const {response, page: fresh} = await ask(url, {signal: mine.signal}), freshMain = fresh.querySelector("main");
      if (!response.ok) { location.assign(url); return; }
      here = freshMain.dataset.address;
      if (push) history.pushState(null, "", kept(here));
      for (const name of ["bar", "list", "card", "apply"]) {
        const from = part(name, fresh), to = part(name);
        to.replaceChildren(...from.childNodes);
        to.hidden = from.hidden;
      }
      main.className = freshMain.className;
      document.title = fresh.title;
      tally(fresh);
      if (drawn) drawn = viewOf(here);  // as the server writes it
      tell("select", {id: url.searchParams.get("prospect")});
      tellSites();
      if (!list.contains(document.activeElement)) reveal();
      dispatchEvent(new Event("resize"));
    } catch (error) {
      if (error.name !== "AbortError") location.assign(url);
    } finally {
      clearTimeout(late);
      if (fetching === mine) { fetching = null; main.classList.remove("busy"); }
    }
  }

  /** Take the counts and choices of the filters over; what is being typed stays as it is. */
  function tally(fresh) {
    const others = new Map([...fresh.querySelectorAll("#filters input[type=checkbox]")].map((box) => [`${box.name}=${box.value}`, box]));
    for (const box of rail.querySelectorAll("input[type=checkbox]")) {
      const other = others.get(`${box.name}=${box.value}`);
      if (!other) continue;
      box.checked = other.checked;
      box.parentElement.className = other.parentElement.className;
      box.parentElement.querySelector(".n").textContent = other.parentElement.querySelector(".n").textContent;
    }
    const form = fresh.getElementById("filters");
    for (const select of rail.querySelectorAll("select")) {
      const other = form.elements[select.name];
      select.replaceChildren(...other.cloneNode(true).childNodes);
      select.selectedIndex = other.selectedIndex;
    }
    for (const input of rail.querySelectorAll("input:not([type=checkbox], [type=hidden])")) {
      if (input !== document.activeElement) input.value = form.elements[input.name].value;
    }
    if (me && nearby.value === me) nearby.selectedOptions[0].textContent = "My position";
  }

  function filtered() {
    const url = new URL(rail.action);
    for (const [key, value] of new FormData(rail)) if (value) url.searchParams.append(key, value);
    if (!nearby.value) url.searchParams.delete("within");
    const id = chosen();
    if (id) url.searchParams.set("prospect", id);
    return url;
  }

  /** The address of what is shown now, with another prospect or none. */
  function withCard(id) {
    const url = new URL(here, location.href);
    id ? url.searchParams.set("prospect", id) : url.searchParams.delete("prospect");
    return url;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.matches("[data-swap]") || (link.matches("[data-card]") && link.pathname === location.pathname)) {
      event.preventDefault();
      show(link.href).then(() => { if (link.matches("[data-card]") && matchMedia("(max-width: 720px)").matches) part("card").scrollIntoView(); });
    } else if (link.matches("[data-open]")) {
      event.preventDefault(); rail.classList.add("open"); search.focus();
    } else if (link.matches("[data-close]")) {
      event.preventDefault(); shut();
    }
  });
  const shut = () => { if (rail.classList.contains("open")) { rail.classList.remove("open"); document.querySelector("[data-open]")?.focus(); } };

  let typing = null, offering = null;
  rail.addEventListener("input", (event) => {
    clearTimeout(typing);
    const isTyped = event.target.matches("input:not([type=checkbox])");
    if (event.target === search) { clearTimeout(offering); offering = setTimeout(suggest, OFFER_MS); }
    if (event.target === nearby) { me = null; nearStatus.textContent = ""; }
    typing = setTimeout(() => show(filtered()), isTyped ? TYPING_MS : 0);
  });
  rail.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); shut(); show(filtered()); });
  addEventListener("popstate", () => { me = null; at = new URL(location.href).searchParams.get("at"); show(location.href, {push: false}); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") { shut(); pick(false); } });

  // ---- what the search may become
  let asking = null;
  async function suggest() {
    asking?.abort();
    asking = new AbortController();
    const url = new URL(offered.dataset.suggest, location.href), text = search.value.trim();
    if (!text) { offered.replaceChildren(); return; }
    url.searchParams.set("q", text);
    try {
      const answer = await fetch(url, {signal: asking.signal});
      if (!answer.ok) return;
      const {suggestions} = await answer.json();
      offered.replaceChildren(...suggestions.map((one) => Object.assign(document.createElement("option"), {value: one.text, label: one.kind === "word" ? `${one.text} (${one.count.toLocaleString("en-US")})` : one.text})));
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  // ---- near a place: one that is clicked, or where the browser is
  rail.querySelector(".scripted").hidden = false;

  function near(lon, lat, miles) {
    const value = `${Number(lon.toFixed(ROUND))},${Number(lat.toFixed(ROUND))}`;
    nearby.append(new Option(value, value, true, true));
    nearby.value = value;
    if (miles) rail.elements.within.value = miles;
    show(filtered());
    return value;
  }

  function pick(on) {
    if (!picker || (picker.getAttribute("aria-pressed") === "true") === on) return;
    picker.setAttribute("aria-pressed", on);
    nearStatus.textContent = on ? "Click the map where it should be. Escape stops." : "";
    tell("pick", {on});
    if (on) shut();
  }
  picker?.addEventListener("click", () => pick(picker.getAttribute("aria-pressed") !== "true"));
  document.addEventListener("prospect:place", ({detail}) => { pick(false); me = null; near(detail.lon, detail.lat, detail.miles); });

  rail.querySelector("[data-me]").addEventListener("click", () => {
    if (!navigator.geolocation) { nearStatus.textContent = "This browser does not tell its position."; return; }
    nearStatus.textContent = "Asking the browser where it is…";
    navigator.geolocation.getCurrentPosition(
      ({coords}) => {
        me = `${Number(coords.longitude.toFixed(ROUND))},${Number(coords.latitude.toFixed(ROUND))}`;
        near(coords.longitude, coords.latitude);
        nearStatus.textContent = "Your position goes with this question only. It is not kept, and not in the link of this page.";
      },
      () => { nearStatus.textContent = "The browser did not tell its position. Pick a point or an office."; },
      {maximumAge: 60000, timeout: 10000},
    );
  });

  // ---- in step with the map, both ways
  for (const [kind, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
    list.addEventListener(kind, (event) => {
      const row = event.target.closest("tr[data-id]");
      if (!row) return;
      const {id, lon, lat} = row.dataset;
      tell("hover", on ? {id, ...(lon && {lon: Number(lon), lat: Number(lat)})} : {id: null});
    });
  }
  document.addEventListener("prospect:hover", ({detail}) => {
    if (detail.from !== "map") return;
    for (const row of list.querySelectorAll("tr[data-id]")) row.classList.toggle("hover", row.dataset.id === detail.id);
  });
  document.addEventListener("prospect:select", ({detail}) => { if (detail.from === "map" && detail.id !== chosen()) show(withCard(detail.id)); });
  document.addEventListener("prospect:view", ({detail}) => {
    if (detail.at === at) return;
    at = detail.at;
    history.replaceState(null, "", kept(location.href));
  });
  reveal();
  document.addEventListener("prospect:loaded", () => { const id = chosen(); if (id) { tell("select", {id}); tellSites(); } }, {once: true});

  // ---- the sites of the chosen one, which the card lists and the map draws
  const card = part("card");
  function tellSites(more) {
    const sites = [...card.querySelectorAll("[data-site][data-lon]")].map(({dataset}) => ({id: dataset.site, lon: Number(dataset.lon), lat: Number(dataset.lat)}));
    tell("sites", {sites, ...more});
  }
  card.addEventListener("click", (event) => { if (event.target.closest("[data-all-sites]")) tellSites({all: true}); });
  for (const [kind, on] of [["pointerover", true], ["pointerout", false]]) {
    card.addEventListener(kind, (event) => {
      const row = event.target.closest("[data-site]");
      if (row) tell("sites", {pointed: on ? row.dataset.site : null});
    });
  }
})();
