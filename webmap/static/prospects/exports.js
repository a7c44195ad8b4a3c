/* Closes an open menu by Escape, by a press elsewhere, and when the focus leaves it. */
"use strict";
(() => {
  const open = () => document.querySelector("details[data-menu][open]");
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && open();
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
})();
