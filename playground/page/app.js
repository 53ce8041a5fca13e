/** The page's composition root: one person's state, feed and deeds in, the whole workspace on the screen out. */
import { actionsFor } from "./actions.js";
import { apiAs } from "./api.js";
import { channelPane } from "./channel.js";
import { notice } from "./dialog.js";
import { h } from "./dom.js";
import { startFeed } from "./feed.js";
import { storePanel } from "./store.js";
import { modals } from "./modal.js";
import { authorOf, channelTitle, isAppDm } from "./people.js";
import { readRoute, writeRoute } from "./route.js";
import { sidebar } from "./sidebar.js";
import { State } from "./state.js";
import { threadPanel } from "./thread.js";
import { applyTheme, topbar } from "./topbar.js";
import { wireView } from "./wire.js";

const DEFAULT_USER = "U0ADA";
const RETRY_MS = 1000;
const NARROW = matchMedia("(max-width: 760px)");

class App {
  state = new State();
  awaited = null; // the root this window wrote last: its thread opens when the app answers

  constructor(as) {
    this.api = apiAs(as);
    this.actions = actionsFor(this);
    this.panes = { top: topbar(this), side: sidebar(this), channel: channelPane(this), thread: threadPanel(this), store: storePanel(this), wire: wireView(this) };
    this.modals = modals(this);
    this.shade = h("div", { class: "shade", hidden: true, onclick: () => this.toggleMenu(false) });
    this.onKey = (event) => this.#key(event);
  }

  async start() {
    await this.refresh();
    const { top, side, channel, thread, store, wire } = this.panes;
    document.querySelector("#app").replaceChildren(top.node, h("div", { class: "columns" }, side.node, channel.node, thread.node, store.node, wire.node), this.shade);
    document.addEventListener("keydown", this.onKey);
    this.state.addEventListener("change", () => this.#draw());
    this.feed = startFeed(this.state, this.api, {
      message: (frame) => this.#heard(frame),
      status: (frame) => this.panes.store.heard(frame),
      view: (frame) => this.modals.heard(frame),
      workspace: () => this.refresh(),
      open: () => this.#arrive(),
    });
  }

  /** At each connection everything is fetched anew: the playground may have been started again in between. */
  async #arrive() {
    if (!(await this.actions.tried(this.refresh()))) return;
    this.#open(readRoute());
  }

  stop() {
    this.feed?.close();
    this.modals.shutAll();
    this.panes.store.close();
    this.panes.wire.close();
    document.removeEventListener("keydown", this.onKey);
  }

  async refresh() {
    this.state.enter(await this.api.workspace());
  }

  /** Shows what an address says, or the nearest thing to it that this person may see. */
  #open(route) {
    const channels = [...this.state.channels.values()];
    const known = channels.find((one) => one.id === route.channel);
    const member = channels.find((one) => !one.is_im && one.members?.includes(this.state.me.id));
    const channel = known ?? member ?? channels[0];
    this.show({ channel: channel?.id ?? null, thread: known ? route.thread : null, tab: known || route.tab === "wire" ? route.tab : "messages", store: route.store }, { replace: true, focus: true });
  }

  /** Moves to another channel, thread or tab, and fetches what is not known yet. */
  show(change, { focus = false, replace = false } = {}) {
    const { state } = this;
    Object.assign(state.view, change);
    const { channel, thread, tab, store } = state.view;
    writeRoute({ as: this.api.as, channel, thread, tab, store }, { replace });
    state.unread.delete(channel);
    this.toggleMenu(false);
    if (!channel) return;
    if (!state.isLoaded(channel)) this.#load(channel);
    if (thread && !state.isLoaded(channel, thread)) this.#load(channel, thread);
    if ((change.channel || change.tab) && isAppDm(state, state.channels.get(channel))) this.#openHome(tab);
    state.changed();
    if (focus && !NARROW.matches) requestAnimationFrame(() => this.focusComposer());
  }

  async #load(channel, thread) {
    try {
      await this.feed.load(channel, thread);
    } catch (error) {
      notice(error.message);
      if (thread) this.show({ thread: null }, { replace: true });
    }
  }

  async #openHome(tab) {
    const answer = await this.actions.tried(this.api.openHome(tab));
    if (answer?.view) this.state.home = answer.view;
    this.state.changed();
  }

  /** A root message of this window was sent: in the app's own conversation its thread opens at once. */
  said(channel, ts) {
    this.awaited = `${channel} ${ts}`;
    this.panes.channel.follow();
    if (channel !== this.state.view.channel) return;
    if (isAppDm(this.state, this.state.channels.get(channel))) this.show({ thread: ts }, { focus: true });
    else this.#openAnswered(channel, ts);
  }

  /** Opens the thread of this window's newest root once the app has answered in it, if nothing else is open there. */
  #openAnswered(channel, root) {
    const { state } = this;
    if (this.awaited !== `${channel} ${root}` || state.view.channel !== channel) return;
    if (!state.thread(channel, root).some((message) => message.ts !== root && authorOf(state, message).isApp)) return;
    this.awaited = null;
    if (!state.view.thread && !NARROW.matches) this.show({ thread: root });
  }

  #heard(frame) {
    const { type, channel, message } = frame;
    this.panes.store.heard(frame);
    if (type !== "message") return;
    const { state } = this;
    this.#openAnswered(channel, message.thread_ts);
    if (channel !== state.view.channel && authorOf(state, message).id !== state.me.id) this.#countUnread(channel, message);
  }

  #countUnread(channel, message) {
    const { state } = this;
    const loud = state.channels.get(channel)?.is_im || message.text?.includes(`<@${state.me.id}>`);
    const before = state.unread.get(channel)?.count ?? 0;
    state.unread.set(channel, { count: before + (loud ? 1 : 0) });
    state.changed();
  }

  focusComposer() {
    const { tab, thread } = this.state.view;
    (tab === "wire" ? this.panes.wire : thread ? this.panes.thread : this.panes.channel).focus();
  }

  toggleMenu(open) {
    document.body.classList.toggle("menu-open", open);
    this.shade.hidden = !open;
  }

  async become(as) {
    if (as === this.api.as) return;
    const { channel } = this.state.view;
    this.stop();
    writeRoute({ as, channel });
    await begin(as);
  }

  #key(event) {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (this.state.editing) this.actions.stopEdit();
    else if (document.body.classList.contains("menu-open")) this.toggleMenu(false);
    else if (this.state.view.thread) this.actions.closeThread();
  }

  #draw() {
    const { state } = this;
    for (const pane of Object.values(this.panes)) pane.draw();
    const { thread, tab, store } = state.view;
    const onWire = tab === "wire";
    document.body.classList.toggle("thread-open", Boolean(thread) && !onWire);
    document.body.classList.toggle("store-open", Boolean(thread && store && state.hasStore) && !onWire);
    document.body.classList.toggle("wire-open", onWire);
    const channel = state.channels.get(state.view.channel);
    const title = onWire ? "Wire" : `${channel?.is_im ? "" : "#"}${channelTitle(state, channel)}`;
    document.title = `${state.unread.size ? "● " : ""}${title} · ${state.team.name}`;
  }
}

let current = null;

async function begin(as) {
  for (;;) {
    current = new App(as);
    try {
      return await current.start();
    } catch (error) {
      if (error.code === "user_not_found" && as !== DEFAULT_USER) as = DEFAULT_USER;
      else document.querySelector("#app").replaceChildren(h("p", { class: "loading", role: "status" }, error.message ?? String(error)));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

addEventListener("popstate", () => {
  const route = readRoute();
  if (route.as && route.as !== current.api.as) location.reload();
  else current.show({ channel: route.channel ?? current.state.view.channel, thread: route.thread, tab: route.tab, store: route.store }, { replace: true });
});

applyTheme();
begin(readRoute().as ?? DEFAULT_USER);
