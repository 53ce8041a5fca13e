/** The open conversation in, the main pane out: its head, its messages or the app's Home, its composer. */
import { composer, dropTarget } from "./composer.js";
import { fill, h } from "./dom.js";
import { homeView } from "./home.js";
import { icon } from "./icons.js";
import { messageList } from "./messages.js";
import { avatar, channelTitle, isAppDm, nameOf } from "./people.js";

/** The main pane: draw() follows state.view.channel. */
export function channelPane(app) {
  const { state } = app;
  const here = () => state.channels.get(state.view.channel);
  const list = messageList(app, "Messages");
  const home = homeView(app);
  const box = composer(app, { place: () => ({ channel: state.view.channel, thread: null }), label: () => composerLabel(state, here()) });
  const head = h("header", { class: "pane-head" });
  const banner = h("div", { class: "banner", role: "status", hidden: true });
  const join = h("div", { class: "join-bar", hidden: true });
  const node = h("main", { class: "pane main-pane" }, head, banner, list.node, home.node, join, box.node);
  dropTarget(node, box);

  function draw() {
    const channel = here();
    node.hidden = state.view.tab === "wire";
    if (!channel || node.hidden) return;
    const onHome = state.view.tab === "home" && isAppDm(state, channel);
    const messages = state.roots(channel.id);
    fill(head, header(app, channel));
    drawBanner(app, banner);
    home.draw(onHome);
    list.node.hidden = onHome;
    const member = channel.is_im || !channel.members || channel.members.includes(state.me.id);
    join.hidden = member || onHome;
    box.node.hidden = !member || onHome;
    if (!member) fill(join, joinOffer(app, channel));
    if (onHome) return;
    node.setAttribute("aria-label", channelTitle(state, channel));
    fill(list.intro, intro(app, channel, messages, box));
    list.draw({ key: channel.id, channel: channel.id, messages, thread: null });
    box.draw();
  }

  return { node, draw, focus: box.focus, fill: box.fill, follow: list.follow };
}

function composerLabel(state, channel) {
  if (!channel) return "Message";
  return isAppDm(state, channel) ? `Start a conversation with ${state.app.name}` : `Message ${channel.is_im ? "" : "#"}${channelTitle(state, channel)}`;
}

function header(app, channel) {
  const { state } = app;
  const title = channelTitle(state, channel);
  const mark = channel.is_im ? avatar(state, { id: channel.user, name: title, isApp: isAppDm(state, channel) }, 24) : icon(channel.is_private ? "lock" : "hash", 18);
  const topic = channel.topic?.value ?? channel.topic;
  const members = channel.members?.length;
  return [
    h("button", { class: "icon-button open-menu", type: "button", "aria-label": "Open sidebar", onclick: () => app.toggleMenu(true) }, icon("menu")),
    mark,
    h("h1", {}, title),
    topic && h("span", { class: "muted topic" }, topic),
    h("span", { class: "grow" }),
    isAppDm(state, channel) ? state.app.home_tab && tabs(app) : members && h("span", { class: "members muted", title: (channel.members ?? []).map((id) => nameOf(state, id)).join(", ") }, icon("people", 17), String(members)),
  ];
}

function tabs(app) {
  const one = (tab, name) => h("button", { class: "tab", type: "button", "aria-pressed": String(app.state.view.tab === tab), onclick: () => app.actions.openTab(tab) }, name);
  return h("div", { class: "tabs", role: "group", "aria-label": `${app.state.app.name}'s views` }, one("messages", "Messages"), one("home", "Home"));
}

function drawBanner({ state }, node) {
  const sentence = !state.online
    ? "Connection to the playground lost. Trying again…"
    : !state.botConnected
      ? "The bot is not connected yet. It answers what is written once it is here."
      : "";
  node.hidden = !sentence;
  if (sentence) fill(node, h("span", { class: "banner-dot", "aria-hidden": "true" }), sentence);
}

function joinOffer(app, channel) {
  return [
    h("p", {}, "You are looking at ", h("strong", {}, `#${channel.name}`)),
    h("button", { class: "button button-primary", type: "button", onclick: () => app.actions.join(channel.id) }, "Join channel"),
  ];
}

/** What stands above a conversation's first message: where one is, and something to try. */
function intro(app, channel, messages, box) {
  const { state } = app;
  const dm = isAppDm(state, channel);
  const title = channelTitle(state, channel);
  const words = dm
    ? `Every message you write here starts a conversation of its own. Follow up in its thread, and ${state.app.name} remembers what was said.`
    : `This is the beginning of #${title}. Mention @${state.app.name} and it answers in a thread.`;
  const missing = missingApp(app, channel);
  const mark = dm ? avatar(state, { id: channel.user, name: title, isApp: true }, 56) : h("span", { class: "intro-mark" }, icon(channel.is_private ? "lock" : "hash", 30));
  return [
    h("div", { class: "intro-card" }, mark, h("h2", {}, dm ? title : `#${title}`), h("p", { class: "muted" }, words), missing, (messages.length && !dm) || missing ? null : hellos(app, channel, box, dm)),
  ];
}

/** A mention reaches the app only where it is a member: offer to bring it in. */
function missingApp(app, channel) {
  const { state } = app;
  const bot = state.app.bot_user_id;
  if (channel.is_im || !channel.members || channel.members.includes(bot)) return null;
  return h(
    "p",
    { class: "missing-app" },
    `${state.app.name} is not in this channel and hears nothing here.`,
    h("button", { class: "button", type: "button", onclick: () => app.actions.join(channel.id, bot) }, `Add ${state.app.name}`),
  );
}

function hellos(app, channel, box, dm) {
  const { state } = app;
  const given = dm ? state.prompts.get(channel.id)?.prompts ?? state.app.suggested_prompts ?? [] : [];
  const offers = given.length ? given : [{ title: "What can you do?", message: "what can you do?" }];
  const title = (dm && state.prompts.get(channel.id)?.title) || (dm ? "Try one of these" : "Say hello");
  const one = ({ title: name, message }) => {
    const text = dm ? message : `@${state.app.name} ${message}`;
    return h("button", { class: "hello", type: "button", onclick: () => box.fill(text) }, icon("spark", 15), dm ? name : text);
  };
  return h("div", { class: "hellos" }, h("span", { class: "muted" }, title), offers.map(one));
}
