/* Tells the server the reader's time zone, by which pages write times. Without this script they are in UTC. */
"use strict";
{
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone, held = /(?:^|; )time_zone=([^;]*)/.exec(document.cookie);
  if (zone !== (held ? held[1] : "UTC")) document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
}
