/** Channels, the app and people in, the sidebar out. */
import { fill, h, keep } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, channelTitle, isAppDm } from "./people.js";

/** The sidebar: draw() shows the channels that this person may see. */
export function sidebar(app) {
  const { state } = app;
  const channels = h("ul", {});
  const apps = h("ul", {});
  const team = h("div", { class: "team" });
  const node = h(
    "nav",
    { class: "sidebar", "aria-label": "Conversations" },
    team,
    h("h2", {}, "Channels"),
    channels,
    h("h2", {}, "Apps"),
    apps,
    h("span", { class: "grow" }),
    h("p", { class: "local-note" }, "A local playground. Nothing you write leaves this machine unless the bot’s model lives elsewhere."),
  );

  return {
    node,
    draw() {
      fill(team, h("strong", {}, state.team.name), h("button", { class: "icon-button close-menu", type: "button", "aria-label": "Close sidebar", onclick: () => app.toggleMenu(false) }, icon("close")));
      const all = [...state.channels.values()];
      keep(channels, all.filter((channel) => !channel.is_im).map((channel) => entry(app, channel)));
      keep(apps, all.filter((channel) => channel.is_im).map((channel) => entry(app, channel)));
    },
  };
}

function entry(app, channel) {
  const { state } = app;
  const open = state.view.channel === channel.id && state.view.tab !== "wire";
  const unread = state.unread.get(channel.id);
  const busy = [...state.statuses.keys()].some((key) => key.startsWith(`${channel.id} `));
  return {
    key: channel.id,
    stamp: [channel, open, unread, busy, state.botConnected],
    build() {
      const title = channelTitle(state, channel);
      const dm = isAppDm(state, channel);
      const mark = channel.is_im ? avatar(state, { id: channel.user, name: title, isApp: dm }, 20) : icon(channel.is_private ? "lock" : "hash", 16);
      const label = `${title}${channel.is_private && !channel.is_im ? ", private" : ""}${unread ? ", unread" : ""}`;
      return h(
        "li",
        {},
        h(
          "button",
          { class: unread ? "entry unread" : "entry", type: "button", "aria-label": label, "aria-current": open ? "page" : undefined, onclick: () => app.actions.openChannel(channel.id) },
          mark,
          h("span", { class: "entry-name" }, title),
          dm && h("span", { class: state.botConnected ? "presence here" : "presence", title: state.botConnected ? "Connected" : "Not connected" }),
          h("span", { class: "grow" }),
          unread?.count ? h("span", { class: "count" }, String(unread.count)) : busy && h("span", { class: "pulse" }),
        ),
      );
    },
  };
}
