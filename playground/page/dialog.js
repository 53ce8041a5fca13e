/** A question in, the person's yes or no out; and the one place where short notices appear. */
import { h } from "./dom.js";

const NOTICE_MS = 6000;

/** Asks with Slack's confirm object ({title, text, confirm, deny, style}); resolves to true or false. */
export function confirmFirst({ title, text, confirm, deny, style }) {
  const words = (part, fallback) => (typeof part === "string" ? part : part?.text) || fallback;
  return new Promise((resolve) => {
    const done = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h(
      "dialog",
      { class: "modal modal-small", "aria-label": words(title, "Are you sure?"), oncancel: () => done(false) },
      h("h2", {}, words(title, "Are you sure?")),
      h("p", {}, words(text, "")),
      h(
        "footer",
        {},
        h("button", { class: "button", type: "button", onclick: () => done(false) }, words(deny, "Cancel")),
        h("button", { class: `button button-${style ?? "primary"}`, type: "button", onclick: () => done(true) }, words(confirm, "Yes")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Shows one sentence for a few seconds, and says it to screen readers. */
export function notice(sentence) {
  const node = h("div", { class: "notice" }, sentence);
  document.querySelector("#notices").append(node);
  setTimeout(() => node.remove(), NOTICE_MS);
}
