/** A conversation's messages in, a scrolling list out that follows the newest unless one reads further up. */
import { h, keep } from "./dom.js";
import { dateOf, day, replies } from "./format.js";
import { icon } from "./icons.js";
import { messageRow } from "./message.js";

const TOGETHER_S = 300;
const NEAR_BOTTOM_PX = 80;

/** A message list; call draw() with what to show whenever anything changed. */
export function messageList(app, label) {
  const rows = h("div", { class: "rows" });
  const intro = h("div", { class: "intro" });
  const jump = h("button", { class: "jump", type: "button", hidden: true }, icon("arrow", 15), "Newest");
  const scroller = h("div", { class: "scroller", tabIndex: 0, role: "region", "aria-label": label }, intro, rows);
  let shown = "";
  let following = true;

  const toEnd = () => {
    following = true;
    jump.hidden = true;
    scroller.scrollTop = scroller.scrollHeight;
  };
  scroller.addEventListener("scroll", () => {
    following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX;
    jump.hidden = following;
  });
  jump.addEventListener("click", toEnd);
  new ResizeObserver(() => following && toEnd()).observe(scroller);

  return {
    node: h("div", { class: "list" }, scroller, jump),
    intro,
    /** Shows the messages of one place; `key` names it, so that another place starts at its newest message. */
    draw({ key, channel, messages, thread }) {
      if (key !== shown) following = true;
      shown = key;
      scroller.setAttribute("aria-label", label);
      keep(rows, items(app, { channel, messages, thread }));
      if (following) toEnd();
    },
    follow: toEnd,
  };
}

function items(app, { channel, messages, thread }) {
  const { state } = app;
  const list = [];
  let before = null;
  for (const message of messages) {
    const newDay = !before || day(before.ts) !== day(message.ts);
    if (newDay && !thread) list.push({ key: `day ${day(message.ts)}`, stamp: [], build: () => dayLine(day(message.ts)) });
    const compact = !newDay && together(before, message) && !(thread && before.ts === thread);
    const status = thread ? null : state.status(channel, message.ts);
    const editing = state.editing === `${channel} ${message.ts}`;
    const place = { channel, inThread: Boolean(thread), compact, status };
    list.push({
      key: `${channel} ${message.ts}`,
      stamp: [message, compact, status, editing, state.users],
      build: () => messageRow(app, message, place),
    });
    if (thread && message.ts === thread && messages.length > 1) {
      const number = messages.filter((one) => one.ts !== thread && !one.is_ephemeral).length;
      list.push({ key: "count", stamp: [number], build: () => h("div", { class: "reply-count" }, h("span", {}, replies(number))) });
    }
    before = message;
  }
  return list;
}

function dayLine(name) {
  return h("div", { class: "day", role: "separator", "aria-label": name }, h("span", {}, name));
}

/** Messages of one author within minutes share one heading, as long as nothing stands between them. */
function together(before, message) {
  const author = (one) => `${one.user ?? ""} ${one.bot_id ?? ""} ${one.username ?? ""}`;
  const close = dateOf(message.ts) - dateOf(before.ts) < TOGETHER_S * 1000;
  return close && before.subtype === message.subtype && author(before) === author(message) && !before.reply_count && !message.is_ephemeral && !before.is_ephemeral;
}
