/* Forms that hold a home or the reference of a person (data-private). A browser keeps a form that it posts by itself on
   disk, for Back and for the next start; so these are sent by fetch, and the answer takes the place of what is on the
   page: neither is in the history, the session or the cache. Once, however often the button is pressed.
   Without this script the forms are posted as any other, and nothing of them is in an address. */
"use strict";
(() => {
  let isSending = false;

  /** Put what an answer says in the place of what the page says; a map stays and is told of it. */
  function show(page) {
    const main = page.querySelector("main"), here = document.querySelector("main");
    const parts = ["#home-check", ".map-legend"], map = here.querySelector(".map-panel");
    if (map && main.querySelector(".map-panel")) {
      here.querySelector(".hr-left").replaceWith(main.querySelector(".hr-left"));
      for (const part of parts) {
        const old = map.querySelector(part), fresh = main.querySelector(`.map-panel ${part}`);
        if (old && fresh) old.replaceWith(fresh);
        else if (old) old.remove();
        else if (fresh) map.insertBefore(fresh, map.querySelector("#home-check"));
      }
    } else here.replaceWith(main);
    document.title = page.title;
    document.dispatchEvent(new Event("private-answer"));
    const first = document.getElementById("v") || document.querySelector("main [role=alert]") || document.querySelector("h1");
    if (!first) return;
    if (!first.hasAttribute("tabindex")) first.tabIndex = -1;
    first.focus();
  }

  function fail(form, words) {
    let alert = form.querySelector("[data-unsent]");
    if (!alert) {
      alert = Object.assign(document.createElement("p"), {className: "alert"});
      alert.setAttribute("role", "alert");
      alert.dataset.unsent = "";
      form.prepend(alert);
    }
    alert.textContent = words;
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-private]")) return;
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    form.setAttribute("aria-busy", "true");
    const fields = new URLSearchParams(new FormData(form)), button = event.submitter;
    if (button && button.name) fields.append(button.name, button.value);
    try {
      const answer = await fetch(form.getAttribute("action"), {method: "POST", body: fields, cache: "no-store"});
      if (answer.redirected) { location.assign(answer.url); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (page.querySelector("main")) show(page);
      else fail(form, `The server answered ${answer.status}. Try again.`);
    } catch { fail(form, "It was not sent: the server does not answer. Try again."); }
    isSending = false;
    form.removeAttribute("aria-busy");
  });
})();
