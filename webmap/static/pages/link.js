"use strict";
// The secret of a one-time link stands behind #: hand it to the form and take it out of the address.
(() => {
  const field = document.getElementById("secret");
  const secret = location.hash.slice(1);
  if (!field || !secret) return;
  field.value = secret;
  document.getElementById("paste").hidden = true;
  history.replaceState(null, "", location.pathname);
  document.getElementById("go").focus();
})();
