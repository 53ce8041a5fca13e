/** A value in, its JSON out: indented, coloured, and ready to be copied. */
import { notice } from "./dialog.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONGEST = 200_000; // characters that are drawn; copying takes all of them

/** A titled box with the value; `name` says what it is. */
export function jsonBox(name, value) {
  const text = JSON.stringify(value, null, 2) ?? "";
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    notice("Copied.");
  };
  return h(
    "div",
    { class: "json-box" },
    h("div", { class: "json-head" }, h("h3", {}, name), h("span", { class: "grow" }), h("button", { class: "icon-button", type: "button", "aria-label": `Copy ${name.toLowerCase()}`, title: "Copy", onclick: copy }, icon("copy", 15))),
    h("pre", { class: "json", tabIndex: 0, role: "region", "aria-label": name }, coloured(text.slice(0, LONGEST)), text.length > LONGEST && "\n… (cut here; copy takes all of it)"),
  );
}

function coloured(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > from) out.push(text.slice(from, match.index));
    const [whole, string, colon, word] = match;
    if (string && colon) out.push(h("span", { class: "json-key" }, string), colon);
    else out.push(h("span", { class: string ? "json-text" : word ? "json-word" : "json-number" }, whole));
    from = match.index + whole.length;
  }
  out.push(text.slice(from));
  return out;
}
