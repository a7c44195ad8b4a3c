/* Keys of the work list: 1 to 9 choose a place, Enter saves, S skips. Fields that are typed in choose their own row. */
"use strict";
(() => {
  const form = document.querySelector("[data-settle]");
  if (!form) return;
  const radio = (value) => [...form.elements.choice].find((one) => one.value === value) || form.elements.choice;
  form.querySelector('[data-for="address"]').addEventListener("input", () => { radio("address").checked = true; radio("address").dispatchEvent(new Event("change", {bubbles: true})); });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio]), select, textarea, button, a, summary, .leaflet-marker-icon")) return;
    const choice = form.querySelector(`[data-number="${CSS.escape(event.key)}"]`);
    if (choice) { choice.closest("details")?.setAttribute("open", ""); choice.checked = true; choice.focus(); choice.dispatchEvent(new Event("change", {bubbles: true})); }
    else if (event.key === "s" || event.key === "S") form.querySelector("[data-skip]")?.click();
    else if (event.key === "Enter") form.querySelector(".primary").click();
    else return;
    event.preventDefault();
  });
})();
