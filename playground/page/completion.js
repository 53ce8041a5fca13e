/** Text and caret in, suggestions out: commands after "/", people after "@", channels after "#". */
import { avatar, isGuest, nameOf } from "./people.js";
import { icon } from "./icons.js";
import { h } from "./dom.js";

const MOST = 8;

/** What could complete the word at the caret: {from, items: [{insert, label, detail, picture}]} or null. */
export function completions(state, text, caret, { inThread }) {
  const before = text.slice(0, caret);
  const command = /^\/(\w*)$/.exec(before);
  if (command) return found(0, commands(state, command[1], inThread));
  const word = /(?:^|[\s(])([@#])([^\s@#]*)$/.exec(before);
  if (!word) return null;
  const from = caret - word[2].length - 1;
  return found(from, word[1] === "@" ? people(state, word[2]) : channels(state, word[2]));
}

function found(from, items) {
  return items.length ? { from, items: items.slice(0, MOST) } : null;
}

const starts = (name, query) => name.toLowerCase().split(/[\s.-]+/).concat(name.toLowerCase()).some((part) => part.startsWith(query.toLowerCase()));

function commands(state, query, inThread) {
  return (state.app.commands ?? [])
    .filter(({ command }) => command.slice(1).startsWith(query))
    .map(({ command, description, usage_hint: usage }) => ({
      insert: `${command} `,
      label: `${command} ${usage ?? ""}`.trim(),
      detail: inThread ? "not in threads" : description,
      picture: h("span", { class: "pick-icon" }, icon("slash", 16)),
    }));
}

function people(state, query) {
  const everyone = [...state.users.values()];
  if (!everyone.some((user) => user.id === state.app.bot_user_id) && state.app.bot_user_id) {
    everyone.push({ id: state.app.bot_user_id, name: state.app.name, real_name: state.app.name, is_bot: true });
  }
  const appFirst = (one, other) => Number(Boolean(other.is_bot)) - Number(Boolean(one.is_bot));
  return everyone
    .filter((user) => user.id !== state.me.id)
    .filter((user) => [nameOf(state, user.id), user.name, user.real_name ?? ""].some((name) => starts(name, query)))
    .sort(appFirst)
    .map((user) => ({
      insert: `@${nameOf(state, user.id)} `,
      label: nameOf(state, user.id),
      detail: user.is_bot ? "App" : isGuest(user) ? "Guest" : user.real_name,
      picture: avatar(state, { id: user.id, name: nameOf(state, user.id), isApp: user.is_bot }, 20),
    }));
}

function channels(state, query) {
  return [...state.channels.values()]
    .filter((channel) => !channel.is_im && starts(channel.name, query))
    .map((channel) => ({
      insert: `#${channel.name} `,
      label: channel.name,
      detail: channel.topic?.value ?? channel.topic ?? "",
      picture: h("span", { class: "pick-icon" }, icon(channel.is_private ? "lock" : "hash", 16)),
    }));
}
