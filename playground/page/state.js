/** Fetched lists and live frames in, the workspace as one person sees it out. */

/** True for messages that stand in the channel itself rather than only in a thread. */
export function isRoot(message) {
  return !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
}

const oldestFirst = (one, other) => (one.ts < other.ts ? -1 : one.ts > other.ts ? 1 : 0);
const threadKey = (channel, thread) => `${channel} ${thread}`;

/** Everything the page shows; it emits "change", at most once a frame. */
export class State extends EventTarget {
  team = { name: "" };
  app = { name: "the app", commands: [] };
  me = null;
  users = new Map();
  channels = new Map();
  view = { channel: null, thread: null, tab: "messages", store: false };
  hasStore = false; // the playground was told where the bot shows its mirror
  messages = new Map(); // channel -> Map(ts -> message), roots and replies alike
  loaded = new Set(); // channels, and "channel thread", whose messages are complete
  statuses = new Map(); // "channel thread" -> {status, text, stoppable}
  unread = new Map(); // channel -> {count, loud}
  prompts = new Map(); // channel -> {title, prompts}
  home = null;
  botConnected = true;
  online = true;
  editing = null; // "channel ts" of the message that is being edited
  pressed = new Map(); // choices made in blocks, which Slack itself does not echo
  #scheduled = false;

  changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const emit = () => {
      this.#scheduled = false;
      this.dispatchEvent(new Event("change"));
    };
    if (document.hidden) setTimeout(emit, 200);
    else requestAnimationFrame(emit);
  }

  enter({ team, app, me, users, channels, store }) {
    Object.assign(this, { team, app, me, hasStore: Boolean(store) });
    this.users = new Map(users.map((user) => [user.id, user]));
    this.channels = new Map(channels.map((channel) => [channel.id, channel]));
    this.changed();
  }

  /** Puts a fetched list in place of what was known: a channel's roots, or one thread. */
  replace(channel, thread, messages) {
    const known = this.#of(channel);
    for (const message of [...known.values()]) {
      if (thread ? message.thread_ts === thread : isRoot(message)) known.delete(message.ts);
    }
    for (const message of messages) known.set(message.ts, message);
    this.loaded.add(thread ? threadKey(channel, thread) : channel);
    this.changed();
  }

  forget() {
    this.loaded.clear();
    this.changed();
  }

  isLoaded(channel, thread) {
    return this.loaded.has(thread ? threadKey(channel, thread) : channel);
  }

  find(channel, ts) {
    return this.messages.get(channel)?.get(ts);
  }

  roots(channel) {
    return [...this.#of(channel).values()].filter(isRoot).sort(oldestFirst);
  }

  /** The thread's root (if known) and its replies, oldest first. */
  thread(channel, thread) {
    const inThread = (message) => message.ts === thread || message.thread_ts === thread;
    return [...this.#of(channel).values()].filter(inThread).sort(oldestFirst);
  }

  status(channel, thread) {
    return this.statuses.get(threadKey(channel, thread));
  }

  setStatus({ channel, thread_ts, status, text, stoppable }) {
    const idle = !text && status !== "processing";
    if (idle) this.statuses.delete(threadKey(channel, thread_ts));
    else this.statuses.set(threadKey(channel, thread_ts), { status, text: text || "Working…", stoppable });
    this.changed();
  }

  put(channel, message) {
    const known = this.#of(channel);
    const before = known.get(message.ts);
    if (!before && !isRoot(message)) this.#countReply(known, message);
    const kept = before && { reply_count: before.reply_count, reply_users: before.reply_users, latest_reply: before.latest_reply };
    known.set(message.ts, { ...kept, ...message });
    this.changed();
    return !before;
  }

  drop(channel, ts) {
    const known = this.#of(channel);
    const gone = known.get(ts);
    known.delete(ts);
    const root = gone && !isRoot(gone) && known.get(gone.thread_ts);
    if (root && !gone.is_ephemeral) known.set(root.ts, { ...root, reply_count: Math.max(0, (root.reply_count ?? 1) - 1) });
    this.changed();
  }

  #countReply(known, reply) {
    const root = known.get(reply.thread_ts);
    if (!root || reply.is_ephemeral || (root.latest_reply && root.latest_reply >= reply.ts)) return;
    const author = reply.user ?? reply.bot_id;
    const reply_users = [...new Set([...(root.reply_users ?? []), author])];
    known.set(root.ts, { ...root, reply_count: (root.reply_count ?? 0) + 1, reply_users, latest_reply: reply.ts });
  }

  #of(channel) {
    if (!this.messages.has(channel)) this.messages.set(channel, new Map());
    return this.messages.get(channel);
  }
}
