/** The address bar in, who looks at what out: `#/U0ADA/C0GENERAL/1712.0001`, or `…/home` for the app's Home. */

/** {as, channel, thread, tab}, with nulls for what the address does not say. */
export function readRoute(hash = location.hash) {
  const [, as, channel, rest] = hash.replace(/^#/, "").split("/").map(decodeURIComponent);
  const tab = rest === "home" ? "home" : "messages";
  return { as: as || null, channel: channel || null, thread: rest && tab !== "home" ? rest : null, tab };
}

/** Writes the address, as a new step of the browser's history unless nothing changed. */
export function writeRoute({ as, channel, thread, tab }, { replace = false } = {}) {
  const parts = [as, channel, tab === "home" ? "home" : thread].filter(Boolean).map(encodeURIComponent);
  const hash = `#/${parts.join("/")}`;
  if (hash === location.hash) return;
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
}
