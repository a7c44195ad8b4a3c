/* The desk: a check is sent once, however often the button is pressed, and a certificate can be printed.
   Every page works without this script. */
"use strict";
for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => { if (sent) event.preventDefault(); sent = true; form.setAttribute("aria-busy", "true"); });
  addEventListener("pageshow", () => { sent = false; form.removeAttribute("aria-busy"); });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
// The answer came with the page, so whoever hears the page is brought to it.
if (document.querySelector("form[data-once] + .verdict")) document.getElementById("v").focus();
