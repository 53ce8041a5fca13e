/** The live socket and fetched lists in, an up-to-date state out, whatever order the two arrive in. */
import { connectLive } from "./live.js";
import { isRoot } from "./state.js";

/** Keeps `state` in step with the playground for one person. Events go to `on.message`, `on.view`. */
export function startFeed(state, api, on) {
  const underWay = new Set(); // each fetch collects the frames that pass while it runs

  async function load(channel, thread = null) {
    const passed = [];
    underWay.add(passed);
    try {
      const { messages, status } = await (thread ? api.thread(channel, thread) : api.roots(channel));
      state.replace(channel, thread, messages);
      if (status) state.setStatus(status);
      passed.filter((frame) => frame.channel === channel).forEach((frame) => (frame.type === "status" ? state.setStatus(frame) : applyMessage(frame)));
    } finally {
      underWay.delete(passed);
    }
  }

  function applyMessage(frame) {
    if (frame.type === "message_deleted") state.drop(frame.channel, frame.message.ts);
    else if (wanted(frame)) state.put(frame.channel, frame.message);
  }

  /** Frames for places that were never fetched are left to the fetch that opens them. */
  function wanted({ channel, message }) {
    return state.isLoaded(channel) || (!isRoot(message) && state.isLoaded(channel, message.thread_ts));
  }

  function onFrame(frame) {
    switch (frame.type) {
      case "message":
      case "message_changed":
      case "message_deleted":
        for (const passed of underWay) passed.push(frame);
        applyMessage(frame);
        return on.message(frame);
      case "status":
        for (const passed of underWay) passed.push(frame);
        state.setStatus(frame);
        return on.status(frame);
      case "prompts": return state.prompts.set(frame.channel, frame), state.changed();
      case "home": return (state.home = frame.view), state.changed();
      case "view": return on.view(frame);
      case "connection": return (state.botConnected = frame.bot_connected), state.changed();
      case "workspace": return on.workspace();
      default: return undefined;
    }
  }

  const live = connectLive(api.as, {
    onFrame,
    onOpen() {
      state.online = true;
      state.statuses.clear();
      state.forget();
      on.open();
    },
    onLost() {
      state.online = false;
      state.changed();
    },
  });
  return { load, close: () => live.close() };
}
