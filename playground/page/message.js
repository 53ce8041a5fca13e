/** One Slack message in, its row on the page out: author, body, files, reactions, thread summary, toolbar. */
import { blocks } from "./blocks.js";
import { confirmFirst, notice } from "./dialog.js";
import { h, isComposing } from "./dom.js";
import { clock, full, replies, when } from "./format.js";
import { icon } from "./icons.js";
import { unescape } from "./inline.js";
import { mrkdwn } from "./markdown.js";
import { files } from "./files.js";
import { authorOf, avatar, isGuest, nameOf, namesFor } from "./people.js";
import { pickReaction, reactions } from "./reactions.js";

const SYSTEM = new Set(["channel_join", "group_join", "channel_leave", "group_leave", "tombstone"]);

/** Draws a message. `place` is {channel, inThread, compact, status}: where it stands and what is going on below it. */
export function messageRow(app, message, place) {
  const { state } = app;
  const author = authorOf(state, message);
  const editing = state.editing === `${place.channel} ${message.ts}`;
  const streaming = Boolean(message._?.streaming);
  if (SYSTEM.has(message.subtype)) return systemRow(state, message);
  const classes = ["message", place.compact && "compact", editing && "editing", streaming && "streaming", message.is_ephemeral && "ephemeral"];
  const row = h(
    "article",
    { class: classes.filter(Boolean).join(" "), dataset: { ts: message.ts }, "aria-label": `${author.name}, ${clock(message.ts)}` },
    place.compact ? h("time", { class: "gutter", title: full(message.ts) }, clock(message.ts)) : avatar(state, author),
    h(
      "div",
      { class: "message-main" },
      message.is_ephemeral && h("p", { class: "only-you" }, icon("eye", 14), "Only visible to you"),
      !place.compact && heading(state, author, message),
      message.subtype === "thread_broadcast" && !place.inThread && h("p", { class: "only-you" }, "replied to a thread"),
      editing ? editor(app, message, place) : body(app, message, place),
      files(app, message),
      reactions(app, message, place.channel),
      !place.inThread && summary(app, message, place),
    ),
    !editing && toolbar(app, message, place, author),
  );
  return row;
}

/** Joins and tombstones: one quiet line that nobody can act on. */
function systemRow(state, message) {
  return h("article", { class: "message system", dataset: { ts: message.ts } }, h("span"), h("div", { class: "muted" }, mrkdwn(message.text ?? "", namesFor(state))));
}

function heading(state, author, message) {
  const user = state.users.get(author.id);
  return h(
    "header",
    {},
    h("strong", { class: "author" }, author.name),
    author.isApp && h("span", { class: "badge" }, "App"),
    isGuest(user) && h("span", { class: "badge badge-guest" }, "Guest"),
    h("time", { class: "muted", title: full(message.ts) }, clock(message.ts)),
  );
}

function body(app, message, place) {
  const { state } = app;
  const names = namesFor(state);
  const deeds = deedsFor(app, message, place.channel);
  const byApp = Boolean(message.bot_id) && message.blocks?.length; // what people type keeps its marks only in `text`
  const content = byApp ? blocks(message.blocks, names, deeds) : mrkdwn(message.text ?? "", names);
  const watching = message._?.streaming && message._.live_for && message._.live_for !== state.me.id;
  return h(
    "div",
    { class: "body", "aria-busy": message._?.streaming ? "true" : undefined },
    content,
    message.edited && message.user && h("span", { class: "muted edited" }, "(edited)"),
    watching && h("p", { class: "muted watching" }, `${nameOf(state, message._.live_for)} sees this answer while it is written; you will when it is done.`),
  );
}

/** What clicks within a message's blocks do. */
function deedsFor(app, message, channel) {
  const { state, actions } = app;
  const key = (action) => `${channel} ${message.ts} ${action}`;
  return {
    act: (action) => actions.act({ channel, message_ts: message.ts, ...action }),
    press: (action, value) => {
      state.pressed.set(key(action), value);
      actions.redraw(channel, message.ts);
    },
    isPressed: (action, value) => state.pressed.get(key(action)) === value,
    people: () => [...state.users.values()].map((user) => ({ text: nameOf(state, user.id), value: user.id })),
    conversations: () => [...state.channels.values()].filter((one) => !one.is_im).map((one) => ({ text: `#${one.name}`, value: one.id })),
  };
}

/** "3 replies", and what the app is doing in the thread at this moment. */
function summary(app, message, place) {
  const { state, actions } = app;
  if (!message.reply_count && !place.status) return null;
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => {
    const isApp = id === state.app.bot_user_id || id === state.app.bot_id || !state.users.has(id);
    return avatar(state, { id, name: nameOf(state, id), isApp }, 20);
  });
  const label = message.reply_count ? replies(message.reply_count) : "View thread";
  return h(
    "button",
    { class: "thread-summary", type: "button", onclick: () => actions.openThread(message.ts, { focus: true }) },
    faces,
    h("span", { class: "thread-count" }, label),
    place.status
      ? h("span", { class: "working" }, dots(), place.status.text)
      : message.latest_reply && h("span", { class: "muted" }, `Last reply ${when(message.latest_reply)}`),
    h("span", { class: "thread-go", "aria-hidden": "true" }, icon("chevron", 14)),
  );
}

/** Three dots that breathe while somebody works. */
export function dots() {
  return h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

function toolbar(app, message, place, author) {
  const { state, actions } = app;
  const tool = (name, label, onclick) => h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, onclick }, icon(name, 17));
  const own = author.id === state.me.id;
  const owner = state.me.is_owner || state.me.is_admin;
  const remove = async () => {
    const sure = await confirmFirst({ title: "Delete message", text: "It will be gone for everybody.", confirm: "Delete", style: "danger" });
    if (sure) actions.delete(place.channel, message.ts);
  };
  const copy = async () => {
    await navigator.clipboard?.writeText(message.text ?? "");
    notice("Copied.");
  };
  if (message.is_ephemeral) return null;
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": "Message actions" },
    !place.inThread && tool("reply", "Reply in thread", () => actions.openThread(message.thread_ts ?? message.ts, { focus: true })),
    tool("smile", "Add reaction", (event) => pickReaction(event.currentTarget, (name) => actions.react(place.channel, message.ts, name, false))),
    tool("copy", "Copy text", copy),
    own && tool("pencil", "Edit message", () => actions.startEdit(place.channel, message.ts)),
    (own || (owner && author.isApp)) && tool("trash", "Delete message", remove),
  );
}

/** What a person would type to get this text: Slack's escapes and ids turned back into names. */
export function typedText(state, text) {
  const names = namesFor(state);
  const back = text
    .replace(/<@([UW]\w+)(?:\|[^>]*)?>/g, (_, id) => `@${names.user(id)}`)
    .replace(/<#(C\w+)(?:\|([^>]*))?>/g, (_, id, label) => `#${names.channel(id) ?? label}`)
    .replace(/<!(here|channel|everyone)>/g, "@$1")
    .replace(/<(https?:[^>|]+)(?:\|[^>]*)?>/g, "$1");
  return unescape(back);
}

function editor(app, message, place) {
  const { state, actions } = app;
  const area = h("textarea", { class: "edit-area", "aria-label": "Edit message", value: typedText(state, message.text ?? ""), rows: 2 });
  const save = () => actions.edit(place.channel, message.ts, area.value);
  area.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") actions.stopEdit();
    else if (event.key === "Enter" && !event.shiftKey) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  requestAnimationFrame(() => {
    area.style.height = `${area.scrollHeight + 2}px`;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  });
  return h(
    "div",
    { class: "edit-box" },
    area,
    h(
      "div",
      { class: "edit-buttons" },
      h("button", { class: "button", type: "button", onclick: () => actions.stopEdit() }, "Cancel"),
      h("button", { class: "button button-primary", type: "button", onclick: save }, "Save"),
    ),
  );
}
