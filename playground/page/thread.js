/** The open thread in, the side panel out. */
import { composer, dropTarget } from "./composer.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { messageList } from "./messages.js";
import { channelTitle } from "./people.js";
import { statusLine } from "./status.js";

/** The thread panel: draw() follows state.view.thread. */
export function threadPanel(app) {
  const { state } = app;
  const place = () => ({ channel: state.view.channel, thread: state.view.thread });
  const list = messageList(app, "Replies");
  const status = statusLine(app);
  const box = composer(app, { place, label: () => "Reply…" });
  const subtitle = h("span", { class: "muted" });
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close thread", title: "Close (Esc)", onclick: () => app.actions.closeThread() }, icon("close"));
  const store = h("button", { class: "button store-toggle", type: "button", title: "What the bot keeps of this thread", onclick: () => app.actions.toggleStore() }, icon("store", 15), "Store");
  const node = h(
    "section",
    { class: "pane thread-pane", "aria-label": "Thread", hidden: true },
    h("header", { class: "pane-head" }, h("div", {}, h("h2", {}, "Thread"), subtitle), h("span", { class: "grow" }), store, close),
    list.node,
    status.node,
    box.node,
  );
  dropTarget(node, box);
  return {
    node,
    focus: box.focus,
    fill: box.fill,
    draw() {
      const { channel, thread } = place();
      node.hidden = !thread || state.view.tab === "wire";
      store.hidden = !state.hasStore;
      store.setAttribute("aria-pressed", String(state.view.store));
      if (node.hidden) return list.draw({ key: "", channel, thread: null, messages: [] });
      const known = state.channels.get(channel);
      subtitle.textContent = known?.is_im ? channelTitle(state, known) : `#${channelTitle(state, known)}`;
      list.draw({ key: `${channel} ${thread}`, channel, thread, messages: state.thread(channel, thread) });
      status.draw(channel, thread);
      return box.draw();
    },
  };
}
