/** The open thread in, what the bot's own mirror holds of it out: beside the conversation, renewed as it changes. */
import { fill, h } from "./dom.js";
import { clock } from "./format.js";
import { icon } from "./icons.js";

const AFTER_MS = 350; // a burst of changes asks once
const AGAIN_MS = 1500; // the bot writes an answer down a moment after Slack shows it

/** The Store panel: draw() follows state.view; heard(frame) is told of every live frame. */
export function storePanel(app) {
  const { state, api } = app;
  let shown = ""; // "channel thread" of what is drawn
  let timer = 0;
  const body = h("div", { class: "store-body", tabIndex: 0, role: "region", "aria-label": "The bot's mirror" });
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close store", title: "Close", onclick: () => app.actions.toggleStore() }, icon("close"));
  const node = h(
    "aside",
    { class: "pane store-pane", "aria-label": "Store", hidden: true },
    h("header", { class: "pane-head" }, h("div", {}, h("h2", {}, "Store"), h("span", { class: "muted" }, "what the bot keeps of this thread")), h("span", { class: "grow" }), close),
    body,
  );

  const place = () => `${state.view.channel} ${state.view.thread}`;

  async function renew(again = true) {
    clearTimeout(timer);
    const asked = place();
    const [channel, thread] = asked.split(" ");
    let answer, trouble;
    try {
      answer = await api.store(channel, thread);
    } catch (error) {
      trouble = error;
    }
    if (asked !== place() || node.hidden) return;
    fill(body, ...(trouble ? [troubled(trouble)] : drawn(answer)));
    if (trouble || again || answer.open_turns.length) later(AGAIN_MS, false);
  }

  function later(ms, again) {
    clearTimeout(timer);
    timer = setTimeout(() => node.hidden || renew(again), ms);
  }

  return {
    node,
    draw() {
      const { store, thread, tab } = state.view;
      node.hidden = !(store && thread && state.hasStore && tab !== "wire");
      if (node.hidden) return void (clearTimeout(timer), (shown = ""));
      if (shown === place()) return undefined;
      shown = place();
      return renew();
    },
    heard({ channel, thread_ts, message }) {
      const root = message?.thread_ts ?? message?.ts ?? thread_ts;
      if (!node.hidden && `${channel} ${root}` === shown) later(AFTER_MS, true);
    },
    close: () => clearTimeout(timer),
  };
}

function troubled(error) {
  const detail = error.answer?.message;
  return h("div", { class: "store-trouble" }, h("p", {}, error.message), detail && h("p", { class: "muted" }, detail));
}

function drawn({ thread, messages, open_turns: turns }) {
  if (!thread && !messages.length) return [h("p", { class: "store-empty muted" }, "The bot keeps nothing of this thread.")];
  return [
    thread && h("section", { class: "store-card" }, h("h3", {}, "Thread"), facts(thread)),
    turns.length > 0 && h("section", { class: "store-card store-open" }, h("h3", {}, turns.length === 1 ? "Open turn" : "Open turns"), turns.map(facts)),
    h("h3", { class: "store-title" }, messages.length === 1 ? "1 message" : `${messages.length} messages`),
    h("ol", { class: "store-messages" }, messages.map(stored)),
  ];
}

/** Names and values, without those that say nothing. */
function facts(record) {
  const said = Object.entries(record).filter(([, value]) => !isNothing(value));
  return h("dl", {}, said.map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value))]));
}

function isNothing(value) {
  return value === null || value === "" || value === 0 || value === false || (typeof value === "object" && Object.keys(value).length === 0);
}

function stored(message) {
  const { role, name, text, ts, ...rest } = message;
  delete rest.thread;
  return h(
    "li",
    { class: `stored stored-${role}` },
    h("div", { class: "stored-head" }, h("span", { class: "badge" }, role), name && h("strong", {}, name), h("time", { class: "muted" }, clock(ts))),
    text ? h("p", { class: "stored-text" }, text) : h("p", { class: "muted" }, "(no text)"),
    facts({ ts, ...rest }),
  );
}
