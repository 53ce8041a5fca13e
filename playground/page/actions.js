/** What a person does on the page in, calls and changed state out. Refusals become one sentence each. */
import { notice } from "./dialog.js";
import { authorOf } from "./people.js";

/** All deeds of the page; `app` is {state, api, load(channel, thread), show(view, options), thread}. */
export function actionsFor(app) {
  const { state } = app;

  async function tried(work) {
    try {
      return (await work) ?? true;
    } catch (error) {
      notice(error.message);
      return false;
    }
  }

  async function say({ channel, thread }, { text, files, broadcast }) {
    const attached = await Promise.all([...files].map(encoded));
    const message = { channel, text, ...(thread && { thread_ts: thread }), ...(broadcast && { broadcast }), ...(attached.length && { files: attached }) };
    const answer = await app.api.say(message);
    if (!thread) app.said(channel, answer.ts);
    return answer;
  }

  /** Slash commands go to the app; anything else that starts with a slash is refused, as Slack refuses it. */
  async function command({ channel, thread }, line) {
    const [, name, text] = /^(\/\S+)\s*([\s\S]*)$/.exec(line);
    const known = (state.app.commands ?? []).map((one) => one.command);
    if (!known.includes(name)) {
      throw new Error(`${name} is not a command here. ${known.length ? `Known: ${known.join(", ")}.` : "The app has none."} Start with a space to send it as text.`);
    }
    return app.api.command({ channel, command: name, text: text.trim(), ...(thread && { thread_ts: thread }) });
  }

  function edited(channel, ts, text) {
    const before = state.find(channel, ts);
    return text.trim() || before?.files?.length ? app.api.edit(channel, ts, text) : app.api.delete(channel, ts);
  }

  return {
    send: (place, draft) => tried(/^\/\w/.test(draft.text) && !draft.files.length ? command(place, draft.text) : say(place, draft)),
    act: (action) => tried(app.api.action(action)),
    stop: (channel, thread) => tried(app.api.stop(channel, thread)),
    react: (channel, ts, name, remove) => tried(app.api.react(channel, ts, name, remove)),
    delete: (channel, ts) => tried(app.api.delete(channel, ts)),
    join: (channel, user) => tried(app.api.join(channel, user).then(() => app.refresh())),

    async edit(channel, ts, text) {
      if (await tried(edited(channel, ts, text))) this.stopEdit();
    },
    startEdit(channel, ts) {
      state.editing = `${channel} ${ts}`;
      state.changed();
    },
    stopEdit() {
      state.editing = null;
      state.changed();
      app.focusComposer();
    },
    /** Up in an empty composer: the newest message of one's own in this place. */
    editLast({ channel, thread }) {
      const here = thread ? state.thread(channel, thread) : state.roots(channel);
      const own = here.findLast((message) => authorOf(state, message).id === state.me.id && !message.is_ephemeral);
      if (own) this.startEdit(channel, own.ts);
      return Boolean(own);
    },

    openThread: (thread, { focus = false } = {}) => app.show({ thread }, { focus }),
    closeThread: () => app.show({ thread: null, store: false }, { focus: true }),
    openChannel: (channel) => app.show({ channel, thread: null, tab: "messages" }, { focus: true }),
    openTab: (tab) => app.show({ tab, thread: null }),
    openView: (tab) => app.show({ tab }, { focus: true }),
    toggleStore: () => app.show({ store: !state.view.store }),
    become: (as) => app.become(as),
    redraw(channel, ts) {
      const message = state.find(channel, ts);
      if (message) state.put(channel, { ...message });
    },
    tried,
  };
}

async function encoded(file) {
  const data = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name} could not be read.`));
    reader.readAsDataURL(file);
  });
  return { name: file.name, mimetype: file.type || "application/octet-stream", content_base64: data.slice(data.indexOf(",") + 1) };
}
