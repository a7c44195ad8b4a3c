/* Tells the server the reader's time zone, by which pages write times. Without this script they are in UTC. */
"use strict";
document.cookie = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
