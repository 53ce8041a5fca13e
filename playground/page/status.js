/** What the app is doing in a thread in, one line with its words and the Stop button out. */
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { dots } from "./message.js";

/** The line above a thread's composer; draw(channel, thread) shows or hides it. */
export function statusLine(app) {
  const words = h("span", { class: "working-words" });
  const stop = h("button", { class: "button stop", type: "button" }, icon("stop", 13), "Stop");
  const node = h("div", { class: "status-line", role: "status", hidden: true }, dots(), words, h("span", { class: "grow" }), stop);
  let place = null;
  stop.addEventListener("click", () => app.actions.stop(place.channel, place.thread));
  return {
    node,
    draw(channel, thread) {
      place = { channel, thread };
      const status = app.state.status(channel, thread);
      node.hidden = !status;
      if (!status) return;
      fill(words, ...sentence(app.state.app.name, status.text));
      stop.hidden = !status.stoppable;
      stop.setAttribute("aria-label", `Stop ${app.state.app.name}`);
    },
  };
}

/** Apps write "is thinking…", to be read after their name; Slack's own "Working…" stands alone. */
export function sentence(name, text) {
  return /^\p{Ll}/u.test(text) ? [h("strong", {}, name), ` ${text}`] : [text];
}
