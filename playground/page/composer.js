/** Keystrokes and dropped files in, messages and commands out. */
import { h, isComposing } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";
import { picker } from "./picker.js";

const TALLEST_PX = 260;
const MARKS = [["bold", "Bold", "*"], ["italic", "Italic", "_"], ["strike", "Strikethrough", "~"], ["code", "Code", "`"], ["codeblock", "Code block", "```"], ["quote", "Quote", "> "], ["list", "List", "- "]];

/**
 * A composer. `place()` is {channel, thread} at this moment; `label()` names it.
 * draw() keeps each place's own draft; send() hands {text, files, broadcast} to actions.send.
 */
export function composer(app, { place, label }) {
  const drafts = new Map();
  let shown = null;
  let files = [];
  const area = h("textarea", { class: "composer-area", rows: 1, spellcheck: "true", "aria-label": "Message" });
  const chips = h("div", { class: "chips", hidden: true });
  const sendButton = h("button", { class: "send", type: "button", "aria-label": "Send", title: "Send (Enter)", onclick: send }, icon("send", 18));
  const chooser = h("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, "aria-label": "Files", onchange: () => (addFiles(chooser.files), (chooser.value = "")) });
  const broadcast = h("input", { type: "checkbox" });
  const broadcastName = h("span");
  const broadcastLine = h("label", { class: "broadcast", hidden: true }, broadcast, broadcastName);
  const suggestions = picker(app, area, () => ({ inThread: Boolean(place().thread) }), changed);

  const tool = (name, title, onclick) => h("button", { class: "icon-button", type: "button", "aria-label": title, title, onclick, onmousedown: (event) => event.preventDefault() }, icon(name, 17));
  const node = h(
    "div",
    { class: "composer" },
    suggestions.node,
    h("div", { class: "composer-marks", role: "group", "aria-label": "Formatting" }, MARKS.map(([name, title, mark]) => tool(name, title, () => surround(mark)))),
    area,
    chips,
    h("div", { class: "composer-foot" }, tool("plus", "Attach files", () => chooser.click()), chooser, tool("at", "Mention somebody", () => type("@")), tool("slash", "Run a command", () => type("/")), h("span", { class: "grow" }), sendButton),
  );

  area.addEventListener("input", () => (changed(), suggestions.update()));
  area.addEventListener("click", () => suggestions.update());
  area.addEventListener("blur", () => suggestions.close());
  area.addEventListener("keydown", keydown);
  area.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    addFiles(event.clipboardData.files);
  });

  function keydown(event) {
    if (isComposing(event)) return;
    if (suggestions.key(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && !area.value && app.actions.editLast(place())) {
      event.preventDefault();
    }
  }

  function changed() {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, TALLEST_PX)}px`;
    sendButton.disabled = !area.value.trim() && !files.length;
  }

  function surround(mark) {
    const { selectionStart: from, selectionEnd: to, value } = area;
    const chosen = value.slice(from, to);
    const block = mark === "```" ? `\`\`\`\n${chosen}\n\`\`\`` : `${mark}${chosen}${mark}`;
    const lines = mark.endsWith(" ") ? chosen.split("\n").map((line) => mark + line).join("\n") : block;
    area.setRangeText(lines, from, to, "end");
    const inside = mark.endsWith(" ") ? from + lines.length : from + (mark === "```" ? 4 : mark.length);
    area.focus();
    area.setSelectionRange(inside, inside + (mark.endsWith(" ") ? 0 : chosen.length));
    changed();
  }

  function type(text) {
    const lead = area.value && !/\s$/.test(area.value) && text !== "/" ? " " : "";
    if (text === "/" && area.value) return;
    area.setRangeText(lead + text, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    changed();
    suggestions.update();
  }

  function addFiles(list) {
    files = [...files, ...list];
    drawChips();
    area.focus();
  }

  function drawChips() {
    const remove = (file) => () => ((files = files.filter((one) => one !== file)), drawChips());
    const chip = (file) => h("span", { class: "chip" }, icon("file", 16), h("span", {}, file.name, h("small", { class: "muted" }, ` ${bytes(file.size)}`)), h("button", { class: "icon-button", type: "button", "aria-label": `Remove ${file.name}`, onclick: remove(file) }, icon("close", 13)));
    chips.replaceChildren(...files.map(chip));
    chips.hidden = !files.length;
    changed();
  }

  async function send() {
    const draft = { text: area.value, files, broadcast: broadcast.checked };
    if (!draft.text.trim() && !files.length) return;
    const where = place();
    set("", []);
    broadcast.checked = false;
    suggestions.close();
    if (!(await app.actions.send(where, draft)) && !area.value) set(draft.text, draft.files);
  }

  function set(text, attached = files) {
    area.value = text;
    files = attached;
    drawChips();
  }

  return {
    node: h("div", { class: "composer-frame" }, node, broadcastLine),
    draw() {
      const { channel, thread } = place();
      const key = `${channel} ${thread ?? ""}`;
      if (key !== shown) {
        if (shown !== null) drafts.set(shown, { text: area.value, files });
        shown = key;
        const draft = drafts.get(key) ?? { text: "", files: [] };
        set(draft.text, draft.files);
      }
      area.placeholder = label();
      area.setAttribute("aria-label", label());
      const known = app.state.channels.get(channel);
      broadcastLine.hidden = !thread || Boolean(known?.is_im);
      broadcastName.textContent = `Also send to #${known?.name ?? ""}`;
    },
    focus: () => area.focus(),
    fill(text) {
      set(text);
      area.focus();
      area.setSelectionRange(text.length, text.length);
    },
    addFiles,
  };
}

/** Lets files be dropped anywhere on a pane; they land in its composer. */
export function dropTarget(pane, target) {
  const hint = h("div", { class: "drop-hint", hidden: true }, icon("file", 28), "Drop to attach");
  pane.append(hint);
  let depth = 0;
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const enter = (by) => (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth + by);
    hint.hidden = depth === 0;
  };
  pane.addEventListener("dragenter", enter(1));
  pane.addEventListener("dragleave", enter(-1));
  pane.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  pane.addEventListener("drop", (event) => {
    depth = 0;
    hint.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    target.addFiles(event.dataTransfer.files);
  });
}
