/* Keeps the market page in step without loading it anew: filters, list, map and card.
   Every address works without this script; here the same address is fetched and its parts are put in place. */
"use strict";
(() => {
  const main = document.querySelector("main[data-app=market]");
  const rail = document.getElementById("filters");
  if (!main || !rail) return;
  let fetching = null, drawn = null;

  const part = (name, root = document) => root.querySelector(`[data-part="${name}"]`);
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`prospect:${name}`, {detail: {...detail, from: "list"}}));
  const dataUrl = (page) => { const url = new URL(page); url.pathname += "/prospects.json"; for (const key of ["prospect", "sort", "page"]) url.searchParams.delete(key); url.hash = ""; return url.href; };
  /** Bring the chosen row into the list's own view, without moving the page. */
  function reveal() {
    const pane = part("list"), row = pane.querySelector("[aria-current=true]");
    if (row && getComputedStyle(pane).overflowY === "auto") pane.scrollTop = Math.max(0, row.offsetTop - pane.clientHeight / 2);
  }
  drawn = dataUrl(location.href);
  const chosen = () => new URL(location.href).searchParams.get("prospect");

  async function show(address, {push = true} = {}) {
    const url = new URL(address, location.href);
    fetching?.abort();
    const mine = fetching = new AbortController();
    const late = setTimeout(() => main.classList.add("busy"), 300);
    try {
      const answer = await fetch(url, {signal: mine.signal});
      if (!answer.ok) { location.assign(url); return; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (push) history.pushState(null, "", url);
      for (const name of ["bar", "list", "card", "apply"]) {
        const from = part(name, fresh), to = part(name);
        to.replaceChildren(...from.childNodes);
        to.hidden = from.hidden;
      }
      main.className = fresh.querySelector("main").className;
      document.title = fresh.title;
      tally(fresh);
      if (dataUrl(url) !== drawn) tell("reload", {url: drawn = dataUrl(url)});
      tell("select", {id: url.searchParams.get("prospect")});
      if (!list.contains(document.activeElement)) reveal();
      dispatchEvent(new Event("resize"));
    } catch (error) {
      if (error.name !== "AbortError") location.assign(url);
    } finally {
      clearTimeout(late);
      if (fetching === mine) { fetching = null; main.classList.remove("busy"); }
    }
  }

  /** Take the counts and ticks of the filters over; what is being typed stays as it is. */
  function tally(fresh) {
    const others = new Map([...fresh.querySelectorAll("#filters input[type=checkbox]")].map((box) => [`${box.name}=${box.value}`, box]));
    for (const box of rail.querySelectorAll("input[type=checkbox]")) {
      const other = others.get(`${box.name}=${box.value}`);
      box.checked = other.checked;
      box.parentElement.className = other.parentElement.className;
      box.parentElement.querySelector(".n").textContent = other.parentElement.querySelector(".n").textContent;
    }
    const text = rail.elements.q;
    if (text !== document.activeElement) text.value = fresh.getElementById("q").value;
  }

  function filtered() {
    const url = new URL(rail.action);
    for (const [key, value] of new FormData(rail)) if (value) url.searchParams.append(key, value);
    const id = chosen();
    if (id) url.searchParams.set("prospect", id);
    return url;
  }

  const withCard = (id) => { const url = new URL(location.href); id ? url.searchParams.set("prospect", id) : url.searchParams.delete("prospect"); url.hash = ""; return url; };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.matches("[data-swap], [data-card]")) {
      event.preventDefault();
      const url = new URL(link.href); url.hash = "";
      show(url).then(() => { if (link.matches("[data-card]") && matchMedia("(max-width: 720px)").matches) part("card").scrollIntoView(); });
    } else if (link.matches("[data-open]")) {
      event.preventDefault(); rail.classList.add("open"); rail.querySelector("input").focus();
    } else if (link.matches("[data-close]")) {
      event.preventDefault(); rail.classList.remove("open"); document.querySelector("[data-open]")?.focus();
    }
  });

  let typing = null;
  rail.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => show(filtered()), event.target.type === "search" ? 180 : 0);
  });
  rail.addEventListener("submit", (event) => { event.preventDefault(); rail.classList.remove("open"); show(filtered()); });
  addEventListener("popstate", () => show(location.href, {push: false}));
  addEventListener("keydown", (event) => { if (event.key === "Escape") rail.classList.remove("open"); });

  const list = part("list");
  for (const [kind, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
    list.addEventListener(kind, (event) => { const row = event.target.closest("tr[data-id]"); if (row) tell("hover", {id: on ? row.dataset.id : null}); });
  }
  document.addEventListener("prospect:hover", ({detail}) => {
    if (detail.from !== "map") return;
    for (const row of list.querySelectorAll("tr[data-id]")) row.classList.toggle("hover", row.dataset.id === detail.id);
  });
  document.addEventListener("prospect:select", ({detail}) => { if (detail.from === "map" && detail.id !== chosen()) show(withCard(detail.id)); });
  reveal();
  document.addEventListener("prospect:loaded", () => { const id = chosen(); if (id) tell("select", {id}); });
})();
