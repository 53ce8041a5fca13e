/** The address bar in, who looks at what out: `#/U0ADA/C0GENERAL/1712.0001`, `…/home` for the app's Home, `#/wire` for the wire. */

/** {as, channel, thread, tab, store}, with nulls for what the address does not say. */
export function readRoute(hash = location.hash) {
  const parts = hash.replace(/^#/, "").split("/").slice(1).map(decodeURIComponent);
  if (parts[0] === "wire" || parts[1] === "wire") return { as: parts[0] === "wire" ? null : parts[0], channel: null, thread: null, tab: "wire", store: false };
  const [as, channel, rest, last] = parts;
  const tab = rest === "home" ? "home" : "messages";
  const thread = rest && tab !== "home" ? rest : null;
  return { as: as || null, channel: channel || null, thread, tab, store: Boolean(thread) && last === "store" };
}

/** Writes the address, as a new step of the browser's history unless nothing changed. */
export function writeRoute({ as, channel, thread, tab, store }, { replace = false } = {}) {
  const place = tab === "wire" ? ["wire"] : [channel, tab === "home" ? "home" : thread, thread && store && "store"];
  const hash = `#/${[as, ...place].filter(Boolean).map(encodeURIComponent).join("/")}`;
  if (hash === location.hash) return;
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
}
