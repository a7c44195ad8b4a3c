/* The import pages: a file dropped on the field, how much of it is sent, how far a job is.
   Every page works without this script: the field is a file input, a job's page loads itself anew. */
"use strict";
(() => {
  const form = document.getElementById("upload"), zone = document.querySelector("[data-drop]");
  if (form && zone) {
    const input = form.elements.file, name = zone.querySelector("[data-name]"), bar = form.querySelector("[data-sent]"), words = form.querySelector("[data-sending]");
    const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3).toLocaleString("en-US")} kB` : `${(bytes / 1e6).toLocaleString("en-US", {maximumFractionDigits: 1})} MB`;
    const tell = () => { const file = input.files[0]; if (file) name.textContent = `${file.name} (${size(file.size)})`; };
    input.addEventListener("change", tell);
    for (const [kind, over] of [["dragover", true], ["dragenter", true], ["dragleave", false], ["drop", false]])
      zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.toggle("over", over); });
    zone.addEventListener("drop", (event) => {
      if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; tell(); }
      if (event.dataTransfer.files.length > 1) words.textContent = `The first of ${event.dataTransfer.files.length} files is used.`;
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const sending = new XMLHttpRequest(), button = document.querySelector("button[form=upload]");
      bar.hidden = false; button.disabled = true; bar.value = 0;
      sending.upload.addEventListener("progress", ({loaded, total}) => {
        bar.value = loaded / total;
        words.textContent = loaded < total ? `${size(loaded)} of ${size(total)} sent` : "Reading the first rows…";
      });
      sending.addEventListener("load", () => {
        if (sending.status < 400) { location.assign(sending.responseURL); return; }
        // The answer is a page of ours that says what is wrong; show its sentence here, beside the field.
        const said = new DOMParser().parseFromString(sending.responseText, "text/html").querySelector("main .sent");
        words.textContent = said ? said.textContent : `The server answered ${sending.status}.`;
        words.className = "alert"; bar.hidden = true; button.disabled = false;
      });
      sending.addEventListener("error", () => { words.textContent = "The upload was interrupted and nothing was kept. Try again."; words.className = "alert"; bar.hidden = true; button.disabled = false; });
      sending.open("POST", form.action);
      words.className = "xs muted";
      sending.send(new FormData(form));
    });
  }

  const panel = document.querySelector("[data-job]");
  if (panel) {
    const part = (key) => panel.querySelector(`[data-${key}]`), count = (n) => n.toLocaleString("en-US");
    const look = async () => {
      let told = null;
      try {
        const answer = await fetch(panel.dataset.job, {headers: {Accept: "application/json"}});
        if (answer.ok) told = await answer.json();
      } catch { /* the server is away: ask again */ }
      if (!told) { part("stage").textContent = "The server does not answer. The work continues; trying again…"; setTimeout(look, 2000); return; }
      if (told.target) { location.replace(told.target); return; }
      if (!["waiting", "running"].includes(told.state)) { location.reload(); return; }
      if (part("stage").textContent !== told.stage) part("stage").textContent = told.stage;
      const bar = part("bar");
      bar.hidden = !told.total;
      if (told.total) { bar.max = told.total; bar.value = told.done; }
      part("rows").textContent = told.total ? `${count(told.done)} of ${count(told.total)} rows · ` : "";
      part("elapsed").textContent = `${count(told.elapsed_s)} s`;
      setTimeout(look, 1000);
    };
    setTimeout(look, 500);
  }
})();
