/* What the card of a prospect can do beside its links: copy the address, and open it in the reader's own map program.
   Listens on the document, because the card is put in place anew with every choice. Asks nobody for anything. */
"use strict";
(() => {
  const APPLE = /Mac|iPhone|iPad|iPod/.test(navigator.platform);
  document.documentElement.classList.add("has-script");

  /** Put a text on the clipboard; by hand where the browser gives its clipboard to secure pages only. */
  async function copy(text) {
    if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
    const box = Object.assign(document.createElement("textarea"), {value: text, className: "vh", readOnly: true});
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    if (!done) throw new Error("not copied");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const said = button.parentElement.querySelector("[data-copied]");
      try { await copy(button.dataset.copy); said.textContent = "Copied"; } catch { said.textContent = "The browser did not let it be copied. Mark the address above and copy it."; }
      button.focus();
    }
    // Apple's programs listen to an address of their own.
    const link = APPLE && event.target.closest("a[data-geo]");
    if (link) link.href = link.href.replace(/^geo:([^?]*)\?q=/, (_, point) => point === "0,0" ? "maps:?q=" : `maps:?ll=${point}&q=`);
  });
})();
