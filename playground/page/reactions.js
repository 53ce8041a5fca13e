/** A message in, its reactions out, and a small picker to add one. */
import { emoji } from "./emoji.js";
import { h } from "./dom.js";
import { nameOf } from "./people.js";

const OFFERED = ["+1", "heart", "tada", "eyes", "white_check_mark", "joy", "thinking_face", "rocket", "fire", "clap", "pray", "-1"];
const COLUMNS = 6;
const MARGIN_PX = 8;

/** The reactions below a message; a click adds one's own or takes it back. */
export function reactions(app, message, channel) {
  if (!message.reactions?.length) return null;
  const one = ({ name, count, users = [] }) => {
    const own = users.includes(app.state.me.id);
    const who = users.map((id) => nameOf(app.state, id)).join(", ");
    return h(
      "button",
      { class: "reaction", type: "button", "aria-pressed": String(own), title: who, onclick: () => app.actions.react(channel, message.ts, name, own) },
      h("span", { "aria-hidden": "true" }, emoji(name) ?? `:${name}:`),
      ` ${count} `,
      h("span", { class: "unseen" }, `${name}: ${who}`),
    );
  };
  return h("div", { class: "reactions" }, message.reactions.map(one));
}

/** Opens a dozen emoji beside a button; take(name) is called with the chosen one. */
export function pickReaction(anchor, take) {
  document.querySelector(".reaction-picker")?.close();
  const choose = (name) => () => (close(), take(name));
  const offered = OFFERED.map((name) => h("button", { type: "button", "aria-label": name.replaceAll("_", " "), title: `:${name}:`, onclick: choose(name) }, emoji(name)));
  const node = h("div", { class: "reaction-picker", role: "group", "aria-label": "Choose a reaction" }, offered);
  const outside = (event) => node.contains(event.target) || close();

  function close() {
    node.remove();
    document.removeEventListener("pointerdown", outside);
    if (anchor.isConnected) anchor.focus();
  }

  node.close = close;
  node.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    const at = offered.indexOf(document.activeElement);
    if (step) offered[(at + step + offered.length) % offered.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(node);
  document.addEventListener("pointerdown", outside);
  beside(node, anchor.getBoundingClientRect());
  offered[0].focus();
}

/** Below the button, or above it where the window ends. */
function beside(node, anchor) {
  const { width, height } = node.getBoundingClientRect();
  const left = Math.min(Math.max(MARGIN_PX, anchor.right - width), innerWidth - width - MARGIN_PX);
  const below = anchor.bottom + 4;
  node.style.left = `${left}px`;
  node.style.top = `${below + height > innerHeight - MARGIN_PX ? anchor.top - height - 4 : below}px`;
}
