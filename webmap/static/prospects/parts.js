/* The parts of a page of prospects (data-part), and what they do beside their links: a form that stays where it is, a menu
   that closes, an address that is copied. Listens on the document, because parts are put in place anew. Every form and
   link works without this script. */
"use strict";

const pageParts = (() => {
  const LOST = "The server did not answer. Nothing is lost: try again in a moment.", NOT_TAKEN = "The server did not take it. Nothing was changed: load the page again.";
  const NOT_COPIED = "The browser did not let it be copied. Mark the address above and copy it.";
  const find = (name, root = document) => root.querySelector(`[data-part="${name}"]`);

  /** Ask for what stands in a page, without the frame and the map round it (webmap/pages/layout.py). */
  async function ask(address, options) {
    const response = await fetch(address, {...options, headers: {Prefer: "return=minimal"}});
    return {response, page: new DOMParser().parseFromString(await response.text(), "text/html")};
  }

  // ---- a form (data-stay) is sent, and the part that it stands in put in place: the map stays as it is, and what was
  // typed stays where it is refused. The address is read then: it says where the map stands, and never where the reader is.
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-stay]");
    if (!form) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    const name = form.dataset.stay, here = form.querySelector("[data-here]"), query = form.querySelector("[data-query]");
    if (here) here.value = location.pathname + location.search;
    if (query) query.value = location.search;
    form.setAttribute("aria-busy", "true");
    try {
      const {response, page} = await ask(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))}), fresh = find(name, page);
      // The page may have put another part in its place meanwhile.
      if (!response.ok || !fresh) { refuse(find(name), page.querySelector("main .sent")?.textContent || NOT_TAKEN); return; }
      find(name).replaceChildren(...fresh.childNodes);
      focusOn(find(name));
    } catch {
      refuse(find(name), LOST);
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

  // ---- an open menu is closed by Escape, by a press elsewhere, and when the focus leaves it
  const openMenu = () => document.querySelector("details[data-menu][open]");
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && openMenu();
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, (event) => {
    const menu = openMenu();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  // The bar is put in place anew when filters change: a menu of views that stands open stays, with what was typed in it.
  const bar = find("bar");
  if (bar) {
    new MutationObserver((changes) => {
      const gone = changes.flatMap((change) => [...change.removedNodes]).find((node) => node.matches?.("details.menu[open]"));
      const fresh = bar.querySelector("details.menu");
      if (!gone || !fresh || gone === fresh) return;
      fresh.replaceWith(gone);
      if (document.activeElement === document.body) gone.querySelector("[name=name]").focus({preventScroll: true});
    }).observe(bar, {childList: true});
  }

  // ---- the address of a prospect: copied, and opened in the reader's own map program
  const isApple = /Mac|iPhone|iPad|iPod/.test(navigator.platform);
  document.documentElement.classList.add("has-script");

  /** Put a text on the clipboard; by hand where the browser gives its clipboard to secure pages only. */
  async function copy(text) {
    if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
    const box = Object.assign(document.createElement("textarea"), {value: text, className: "vh", readOnly: true});
    document.body.append(box);
    box.select();
    const isDone = document.execCommand("copy");
    box.remove();
    if (!isDone) throw new Error("not copied");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const note = button.parentElement.querySelector("[data-copied]");
      try { await copy(button.dataset.copy); note.textContent = "Copied"; } catch { note.textContent = NOT_COPIED; }
      button.focus();
    }
    // Apple's programs listen to an address of their own.
    const link = isApple && event.target.closest("a[data-geo]");
    if (link) link.href = link.href.replace(/^geo:([^?]*)\?q=/, (_, point) => point === "0,0" ? "maps:?q=" : `maps:?ll=${point}&q=`);
  });
  return {find, ask};
})();
