/** Slack's rich_text blocks in, DOM nodes out: what Slack makes of Markdown, and what its own composer sends. */
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { link, mention } from "./inline.js";
import { codeBlock } from "./markdown.js";

export function richText(block, names) {
  return (block.elements ?? []).map((element) => part(element, names));
}

function part(element, names) {
  switch (element.type) {
    case "rich_text_list": {
      const items = (element.elements ?? []).map((item) => h("li", {}, inline(item.elements, names)));
      const node = h(element.style === "ordered" ? "ol" : "ul", { start: element.offset ? element.offset + 1 : undefined }, items);
      node.style.marginInlineStart = `${(element.indent ?? 0) * 1.5}rem`;
      return node;
    }
    case "rich_text_preformatted":
      return codeBlock((element.elements ?? []).map((piece) => piece.text ?? piece.url ?? "").join(""), element.language ?? "");
    case "rich_text_quote":
      return h("blockquote", {}, h("p", {}, inline(element.elements, names)));
    default:
      return h("p", {}, inline(element.elements, names));
  }
}

/** The elements of one line of rich text. */
export function inline(elements = [], names) {
  return elements.map((piece) => styled(bare(piece, names), piece.style ?? {}));
}

function bare(piece, names) {
  switch (piece.type) {
    case "text": return lines(piece.text);
    case "link": return link(piece.url, piece.text || piece.url);
    case "user": return mention(piece.user_id, names);
    case "channel": return h("span", { class: "mention" }, `#${names.channel(piece.channel_id) ?? piece.channel_id}`);
    case "broadcast": return h("span", { class: "mention mention-me" }, `@${piece.range}`);
    case "usergroup": return h("span", { class: "mention" }, "@group");
    case "emoji": return h("span", { role: "img", "aria-label": piece.name }, emoji(piece.name) ?? `:${piece.name}:`);
    case "date": return h("time", {}, piece.fallback ?? "");
    default: return lines(piece.text ?? piece.fallback ?? "");
  }
}

function lines(text) {
  return h("span", {}, text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line])));
}

function styled(node, style) {
  const wraps = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];
  return wraps.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}
