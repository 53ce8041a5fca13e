/** One call or delivery as the playground recorded it in, its row of the Wire view out. */
import { h } from "./dom.js";
import { clockWithSeconds } from "./format.js";
import { icon } from "./icons.js";
import { jsonBox } from "./json.js";

const KINDS = { call: "call", events_api: "event", slash_commands: "command", interactive: "click" };

export const keyOf = (entry) => `${entry.kind} ${entry.n}`;

/** What a filter looks in: everything that the entry carries. */
export function textOf(entry) {
  entry.text ??= `${nameOf(entry)} ${JSON.stringify(entry)}`.toLowerCase();
  return entry.text;
}

/** A method's name, an event's type, a command, or what was clicked. */
export function nameOf(entry) {
  if (entry.kind === "call") return entry.method;
  const { payload } = entry;
  if (entry.as === "slash_commands") return `${payload.command} ${payload.text ?? ""}`.trim();
  if (entry.as === "interactive") return [payload.type, payload.actions?.[0]?.action_id ?? payload.view?.callback_id].filter(Boolean).join(" · ");
  const event = payload.event ?? {};
  return [event.type, event.subtype].filter(Boolean).join(" · ") || payload.type || "event";
}

/** Where it happened and how it begins, in one line. */
function glimpse(entry) {
  const said = entry.kind === "call" ? entry.args : (entry.payload.event ?? entry.payload);
  const place = said.channel?.id ?? said.channel ?? said.channel_id ?? said.user_id ?? "";
  const text = said.markdown_text ?? said.text ?? said.message?.text ?? said.status ?? said.tab ?? "";
  return { place: String(place), text: String(text).replace(/\s+/g, " ").slice(0, 160) };
}

/** How it went: {word, tone, detail}; tone is good, bad, warm or quiet. */
export function outcome(entry) {
  if (entry.kind === "call") {
    if (entry.ok) return { word: "ok", tone: "good" };
    return { word: entry.error === "http" ? `HTTP ${entry.status}` : entry.error || "dropped", tone: entry.status === 429 ? "warm" : "bad" };
  }
  const tries = entry.attempts.length;
  if (entry.acked) return tries > 1 ? { word: `acked, attempt ${tries}`, tone: "warm" } : { word: "acked", tone: "good" };
  if (entry.lost) return { word: tries > 1 ? `lost after ${tries}` : "lost", tone: "bad" };
  if (!tries) return { word: "on its way", tone: "quiet" };
  return { word: `unacked ×${tries}`, tone: "warm", detail: entry.attempts.at(-1).reason };
}

function durationOf(entry) {
  const ms = entry.kind === "call" ? entry.duration_ms : entry.attempts.at(-1)?.duration_ms;
  if (ms === undefined) return "";
  return ms < 1 ? "<1 ms" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A row that opens its bodies; `open` and `toggle()` belong to the view, so that rebuilding loses nothing. */
export function wireRow(entry, { open, toggle }) {
  const { word, tone, detail } = outcome(entry);
  const { place, text } = glimpse(entry);
  const toApp = entry.kind === "delivery";
  const id = `wire-${keyOf(entry).replace(" ", "-")}`;
  const head = h(
    "button",
    { class: "wire-head", type: "button", "aria-expanded": String(open), "aria-controls": open ? id : undefined, onclick: toggle },
    h("time", { class: "wire-time" }, clockWithSeconds(entry.at)),
    h("span", { class: `wire-way ${toApp ? "to-app" : "from-app"}`, title: toApp ? "Slack to the app" : "The app to Slack" }, icon(toApp ? "right" : "left", 15), h("span", { class: "unseen" }, toApp ? "to the app" : "from the app")),
    h("span", { class: `wire-kind kind-${KINDS[entry.as ?? "call"]}` }, KINDS[entry.as ?? "call"]),
    h("strong", { class: "wire-name" }, nameOf(entry)),
    h("span", { class: "wire-glimpse muted" }, place && h("span", { class: "wire-place" }, place), text),
    h("span", { class: "wire-took muted" }, durationOf(entry)),
    h("span", { class: `wire-outcome tone-${tone}`, title: detail }, word),
  );
  return h("div", { class: open ? "wire-row open" : "wire-row", role: "listitem" }, head, open && h("div", { class: "wire-bodies", id }, bodies(entry)));
}

function bodies(entry) {
  if (entry.kind === "call") return [jsonBox("Arguments", entry.args), jsonBox(`Answer · HTTP ${entry.status || "none, connection dropped"}`, entry.answer)];
  return [jsonBox("Payload", entry.payload), h("div", { class: "json-box" }, h("h3", {}, "Attempts"), attempts(entry))];
}

function attempts(entry) {
  if (!entry.attempts.length) return h("p", { class: "muted" }, "Sent; nobody has acknowledged it yet.");
  const one = (attempt, index) =>
    h(
      "li",
      {},
      h("strong", {}, `${index + 1}. ${attempt.acked ? "acked" : attempt.reason || "not acked"}`),
      h("span", { class: "muted" }, ` · ${clockWithSeconds(attempt.at)} · ${attempt.transport === "none" ? "nobody connected" : attempt.transport} · ${Math.round(attempt.duration_ms)} ms`),
      attempt.answer && Object.keys(attempt.answer).length > 0 && h("code", {}, JSON.stringify(attempt.answer).slice(0, 500)),
    );
  return h("ol", { class: "attempts" }, entry.attempts.map(one));
}
