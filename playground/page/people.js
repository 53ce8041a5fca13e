/** Ids and messages in, names and avatars out. */
import { h, svg } from "./dom.js";

const INKS = ["#8a3b6b", "#2f6f8f", "#7a5a1e", "#4b6b2f", "#5b4bb0", "#9a4a2f", "#2f7a66", "#6b5b6b"];

/** How ids read for the person who looks: {me, user(id), channel(id)}. */
export function namesFor(state) {
  return {
    me: state.me?.id,
    user: (id) => nameOf(state, id),
    channel: (id) => state.channels.get(id)?.name,
  };
}

export function nameOf(state, id) {
  const user = state.users.get(id);
  if (!user) return id === state.app.bot_user_id ? state.app.name : id;
  return user.display_name || user.real_name || user.name;
}

/** Who a message is from: {id, name, isApp}. */
export function authorOf(state, message) {
  const isApp = Boolean(message.bot_id);
  const id = message.user ?? (isApp ? state.app.bot_user_id : "");
  const name = message.username || (isApp && message.bot_profile?.name) || nameOf(state, id);
  return { id, name, isApp: isApp || Boolean(state.users.get(id)?.is_bot) };
}

export function isGuest(user) {
  return Boolean(user?.is_restricted || user?.is_ultra_restricted);
}

/** A conversation's name as people say it. */
export function channelTitle(state, channel) {
  if (!channel) return "";
  if (channel.is_im) return channel.user && channel.user !== state.me?.id ? nameOf(state, channel.user) : state.app.name;
  return channel.name;
}

/** True for the conversation between a person and the app. */
export function isAppDm(state, channel) {
  return Boolean(channel?.is_im) && (!channel.user || channel.user === state.app.bot_user_id || channel.user === state.me?.id);
}

/** A square with initials, or two linked wheels for the app. */
export function avatar(state, { id, name, isApp }, size = 36) {
  const drawn = isApp ? wheels() : initials(name, inkOf(state, id));
  return h("span", { class: "avatar", "aria-hidden": "true", dataset: { size } }, sized(drawn, size));
}

function sized(node, size) {
  node.setAttribute("width", size);
  node.setAttribute("height", size);
  return node;
}

function inkOf(state, id) {
  const own = state.users.get(id)?.color;
  if (own) return own.startsWith("#") ? own : `#${own}`;
  const sum = [...(id ?? "")].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return INKS[sum % INKS.length];
}

function initials(name, ink) {
  const letters = name.split(/\s+/).map((word) => word[0] ?? "").slice(0, 2).join("").toUpperCase();
  const text = { x: 18, y: 23.6, "text-anchor": "middle", fill: "#fff", "font-size": letters.length > 1 ? 14 : 16, "font-weight": 700 };
  return svg("svg", { viewBox: "0 0 36 36" }, svg("rect", { width: 36, height: 36, rx: 8, fill: ink }), svg("text", text, letters));
}

function wheels() {
  const wheel = (cx, colour) => svg("circle", { cx, cy: 19.5, r: 6.2, fill: "none", stroke: colour, "stroke-width": 3 });
  return svg(
    "svg",
    { viewBox: "0 0 36 36" },
    svg("rect", { width: 36, height: 36, rx: 8, fill: "#2a3364" }),
    svg("path", { d: "M12 19.5 18 11.5 24 19.5 M18 11.500h5", stroke: "#e8ebff", "stroke-width": 2.2, fill: "none", "stroke-linecap": "round", "stroke-linejoin": "round" }),
    wheel(11.8, "#6ee0c2"),
    wheel(24.2, "#ffb454"),
  );
}
