/* Loads what stands in a <template> below the fold once it comes near, or when the page is printed. */
"use strict";
for (const box of document.querySelectorAll("[data-late]")) {
  const load = async () => {
    watch.disconnect();
    removeEventListener("beforeprint", load);
    const parts = document.importNode(box.querySelector("template").content, true), sheets = [...parts.querySelectorAll("link[rel=stylesheet]")];
    const dressed = sheets.map((sheet) => new Promise((done) => { sheet.onload = sheet.onerror = done; }));
    document.head.append(...sheets);
    await Promise.all(dressed);  // else a script may meet a box without its size
    for (const script of parts.querySelectorAll("script")) script.async = false;
    box.append(parts);
  };
  const watch = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) load(); }, {rootMargin: "200px"});
  watch.observe(box);
  addEventListener("beforeprint", load);
}
