/** What a person does in, the playground's answer out: one function for each call of the control API. */

/** The playground said no; `code` is its (Slack's) error code, the message is a sentence for people. */
export class Refusal extends Error {
  constructor(code, answer = {}) {
    super(SENTENCES[code] ?? `The playground refused this (${code}).`);
    this.code = code;
    this.answer = answer;
  }
}

const SENTENCES = {
  unreachable: "The playground does not answer. Is it still running?",
  not_in_channel: "You are not a member of this channel.",
  channel_not_found: "This channel does not exist, or is not yours to see.",
  message_not_found: "This message is gone.",
  thread_not_found: "This thread is gone.",
  cant_update_message: "Only your own messages can be edited.",
  cant_delete_message: "Only your own messages can be deleted.",
  no_text: "There is nothing to send yet.",
  not_in_threads: "Slash commands do not work in threads, here as in Slack. Use them in the channel itself.",
  msg_too_long: "This message is longer than Slack takes (40,000 characters).",
  not_stoppable: "There is nothing left to stop.",
  unknown_command: "The app has no such command.",
  dispatch_failed: "The bot is not connected, so nobody heard this.",
  operation_timeout: "The bot did not answer in time.",
  user_not_found: "This person does not exist in the workspace.",
  store_unreachable: "The bot’s mirror cannot be reached. Is the bot running with TANDEM_INSPECT=1?",
  store_refused: "The bot’s mirror did not answer.",
  already_reacted: "You have already added this reaction.",
  file_too_large: "This file is too large for the playground.",
};

async function call(path, options) {
  let answer;
  try {
    const response = await fetch(path, options);
    answer = await response.json();
  } catch (error) {
    throw new Refusal("unreachable", { cause: String(error) });
  }
  if (!answer.ok) throw new Refusal(answer.error ?? "unknown_error", answer);
  return answer;
}

/** The control API as seen by one person of the workspace. */
export function apiAs(as) {
  const get = (name, query = {}) => call(`/_/${name}?${new URLSearchParams({ as, ...query })}`);
  const post = (name, body = {}) =>
    call(`/_/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ as, ...body }),
    });
  return {
    as,
    workspace: () => get("workspace"),
    roots: (channel) => get("messages", { channel }),
    thread: (channel, thread_ts) => get("messages", { channel, thread_ts }),
    wire: () => get("wire"),
    store: (channel, thread_ts) => get("store", { channel, thread_ts }),
    fileUrl: (id) => `/_/file?${new URLSearchParams({ as, id })}`,
    say: (message) => post("say", message),
    edit: (channel, ts, text) => post("edit", { channel, ts, text }),
    delete: (channel, ts) => post("delete", { channel, ts }),
    command: (command) => post("command", command),
    action: (action) => post("action", action),
    stop: (channel, thread_ts) => post("stop", { channel, thread_ts }),
    react: (channel, ts, name, remove) => post("react", { channel, ts, name, remove }),
    join: (channel, user = as) => post("join", { channel, as: user }),
    openHome: (tab) => post("open_home", { tab }),
    submitView: (view_id, values) => post("view_submit", { view_id, values }),
    closeView: (view_id) => post("view_close", { view_id }),
  };
}
