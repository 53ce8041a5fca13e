/** Everything that Slack and the app say to each other in, a bounded list with a filter and a pause out. */
import { fill, h, keep } from "./dom.js";
import { icon } from "./icons.js";
import { connectLive } from "./live.js";
import { keyOf, textOf, wireRow } from "./wire_entry.js";

const MOST = 500;
const NEAR_BOTTOM_PX = 60;

/** The Wire view: draw() follows state.view.tab, and listens only while it is shown. */
export function wireView(app) {
  const { state, api } = app;
  const entries = new Map(); // key -> entry, oldest first
  const opened = new Set();
  let frozen = null; // while paused: the entries as they were
  let following = true;
  let live = null;
  let scheduled = false;

  const filter = h("input", { class: "field wire-filter", type: "search", placeholder: "Filter: chat.update, C0GENERAL, any word", "aria-label": "Filter", oninput: redraw });
  const pause = h("button", { class: "button", type: "button", onclick: togglePause }, "Pause");
  const clear = h("button", { class: "button", type: "button", onclick: () => (entries.clear(), frozen?.clear(), redraw()) }, "Clear");
  const rows = h("div", { class: "wire-rows", role: "list", "aria-label": "Events and calls" });
  const note = h("p", { class: "wire-note muted", role: "status" });
  const scroller = h("div", { class: "scroller wire-scroller", tabIndex: 0, role: "region", "aria-label": "Wire" }, rows, note);
  scroller.addEventListener("scroll", () => (following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX));
  const node = h(
    "main",
    { class: "pane wire-pane", "aria-label": "Wire", hidden: true },
    h(
      "header",
      { class: "pane-head wire-pane-head" },
      h("button", { class: "icon-button open-menu", type: "button", "aria-label": "Open sidebar", onclick: () => app.toggleMenu(true) }, icon("menu")),
      h("h1", {}, "Wire"),
      h("span", { class: "muted topic" }, "What Slack and the app say to each other"),
      h("span", { class: "grow" }),
      filter,
      pause,
      clear,
    ),
    scroller,
  );

  function togglePause() {
    frozen = frozen ? null : new Map(entries);
    following ||= !frozen;
    redraw();
  }

  function put(entry) {
    entries.set(keyOf(entry), entry);
    if (entries.size > MOST) entries.delete(entries.keys().next().value);
  }

  /** Rows that came while the page was away; what passed meanwhile stays. */
  async function arrive() {
    const answer = await app.actions.tried(api.wire());
    if (!answer) return;
    const passed = [...entries.values()];
    entries.clear();
    answer.entries.forEach(put);
    passed.filter((entry) => entry.at > (answer.entries.at(-1)?.at ?? 0)).forEach(put);
    redraw();
  }

  function redraw() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => ((scheduled = false), drawRows()));
  }

  function drawRows() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...(frozen ?? entries).values()];
    const shown = all.filter((entry) => words.every((word) => textOf(entry).includes(word)));
    keep(rows, shown.map(item));
    fill(pause, icon(frozen ? "right" : "pause", 14), frozen ? "Resume" : "Pause");
    pause.setAttribute("aria-pressed", String(Boolean(frozen)));
    note.hidden = shown.length > 0 && !frozen;
    note.textContent = !all.length
      ? "Nothing has passed yet. Say something to the app, and every event and call shows up here."
      : !shown.length
        ? `None of ${all.length} entries fits this filter.`
        : frozen
          ? `Paused${behind() ? `; ${behind()} newer` : ""}.`
          : "";
    if (following && !frozen) scroller.scrollTop = scroller.scrollHeight;
  }

  const behind = () => [...entries.keys()].filter((key) => !frozen.has(key)).length;

  function item(entry) {
    const key = keyOf(entry);
    const open = opened.has(key);
    const toggle = () => {
      if (!opened.delete(key)) opened.add(key);
      following = false;
      drawRows();
      rows.kept.get(key)?.node.querySelector("button").focus();
    };
    return { key, stamp: [entry, open], build: () => wireRow(entry, { open, toggle }) };
  }

  function listen() {
    live = connectLive(api.as, { onOpen: arrive, onLost: () => {}, onFrame: (frame) => frame.type === "wire" && (put(frame), redraw()) }, { wire: true });
  }

  return {
    node,
    focus: () => filter.focus(),
    draw() {
      const visible = state.view.tab === "wire";
      node.hidden = !visible;
      if (visible && !live) (listen(), redraw());
      else if (!visible) this.close();
    },
    close() {
      live?.close();
      live = null;
    },
  };
}
