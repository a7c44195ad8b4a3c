/* Sends a form and puts the part of the page that it stands in (data-stay, data-part) in place, without loading the page
   anew: the map stays as it is, and what was typed stays where it is refused. Every form works without this script.
   The address is read when the form is sent: it says where the map stands, and never where the reader is. */
"use strict";
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-stay]");
  if (!form) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  const name = form.dataset.stay, part = () => document.querySelector(`[data-part="${name}"]`);  // the page may put another in its place meanwhile
  const here = form.querySelector("[data-here]"), query = form.querySelector("[data-query]");
  if (here) here.value = location.pathname + location.search;
  if (query) query.value = location.search;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
    const told = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = told.querySelector(`[data-part="${name}"]`);
    if (!answer.ok || !fresh) { refuse(part(), told.querySelector("main .sent")?.textContent || "The server did not take it. Nothing was changed: load the page again."); return; }
    part().replaceChildren(...fresh.childNodes);
    focusOn(part());
  } catch {
    refuse(part(), "The server did not answer. Nothing is lost: try again in a moment.");
  } finally {
    form.removeAttribute("aria-busy");
  }
});

function refuse(part, words) {
  const box = part.querySelector("[data-refusal]");
  if (part.tagName === "DETAILS") part.open = true;
  box.textContent = words; box.hidden = false;
  box.scrollIntoView({block: "nearest"});
}

/** The button that was pressed is gone: go on from the part that it stood in. */
function focusOn(part) {
  if (part.tagName === "DETAILS") part.open = true;
  const first = part.querySelector("summary, h2, h3");
  if (!first) return;
  if (first.tagName !== "SUMMARY") first.tabIndex = -1;
  first.focus({preventScroll: true});
}

/* The bar is put in place anew when filters change: a menu that stands open stays, with what was typed in it. */
const bar = document.querySelector('[data-part="bar"]');
if (bar) {
  new MutationObserver((changes) => {
    const gone = changes.flatMap((change) => [...change.removedNodes]).find((node) => node.matches?.("details.menu[open]"));
    const fresh = bar.querySelector("details.menu");
    if (!gone || !fresh || gone === fresh) return;
    fresh.replaceWith(gone);
    if (document.activeElement === document.body) gone.querySelector("[name=name]").focus({preventScroll: true});
  }).observe(bar, {childList: true});
}

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  const open = document.querySelector("details.menu[open]");
  if (open && !open.contains(event.target)) open.open = false;
});
