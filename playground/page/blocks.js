/** Block Kit blocks in, DOM nodes out. */
import { h } from "./dom.js";
import { element, plain } from "./elements.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { link } from "./inline.js";
import { markdown, mrkdwn, tableFrame } from "./markdown.js";
import { inline, richText } from "./richtext.js";

/** Draws blocks; `names` resolves ids, `deeds` carries out what people click (see elements.js). */
export function blocks(list, names, deeds) {
  return list.map((block, index) => {
    const draw = BLOCKS[block.type];
    const id = block.block_id ?? `block-${index}`;
    if (!draw) return h("p", { class: "muted" }, `(A block of type “${block.type}” is not drawn by this page.)`);
    return h("div", { class: `block block-${block.type}` }, draw(block, names, deeds, id));
  });
}

/** A text object: mrkdwn with its marks, plain_text with emoji at most. */
export function textObject(text, names) {
  if (!text) return [];
  if (text.type === "mrkdwn") return mrkdwn(text.text, names);
  return [h("p", {}, withEmoji(plain(text)))];
}

function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name) ?? whole);
}

const BLOCKS = {
  markdown: (block, names) => markdown(block.text ?? "", names),
  rich_text: (block, names) => richText(block, names),
  header: (block) => h("h3", { class: "block-title" }, withEmoji(plain(block.text))),
  divider: () => h("hr"),
  section,
  context: (block, names) => (block.elements ?? []).map((part) => (part.type === "image" ? element(part) : h("div", {}, textObject(part, names)))),
  actions: (block, names, deeds, id) => (block.elements ?? []).map((part) => element(part, id, deeds)),
  context_actions: (block, names, deeds, id) => (block.elements ?? []).map((part) => element(part, id, deeds)),
  image: (block) => [
    block.title && h("p", { class: "muted" }, plain(block.title)),
    h("p", { class: "image-alt" }, icon("eye", 15), block.image_url ? link(block.image_url, block.alt_text || "image") : block.alt_text),
  ],
  table,
  input,
  alert: (block, names) => h("div", { class: `alert alert-${block.level ?? "info"}`, role: "note" }, textObject(block.text, names)),
  task_card: taskCard,
  plan: (block, names) => [h("p", {}, h("strong", {}, plain(block.title))), (block.tasks ?? []).map((task) => taskCard(task, names))],
  container: (block, names, deeds) =>
    h("details", { open: !block.default_collapsed }, h("summary", {}, plain(block.title) || "Details"), blocks(block.blocks ?? block.elements ?? [], names, deeds)),
};

function section(block, names, deeds, id) {
  const fields = block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, textObject(field, names))));
  const text = h("div", { class: "section-text" }, textObject(block.text, names), fields);
  return [text, block.accessory && h("div", { class: "accessory" }, element(block.accessory, id, deeds))];
}

function table(block, names) {
  const cell = (spec, column, tag) => {
    const settings = block.column_settings?.[column] ?? {};
    const inner = spec.type === "rich_text" ? (spec.elements ?? []).map((part) => inline(part.elements, names)) : plain(spec);
    return h(tag, { class: `align-${settings.align ?? "left"}` }, inner);
  };
  const [head = [], ...rows] = block.rows ?? [];
  const row = (cells, tag) => h("tr", {}, cells.map((spec, column) => cell(spec, column, tag)));
  return tableFrame(h("thead", {}, row(head, "th")), h("tbody", {}, rows.map((cells) => row(cells, "td"))));
}

function input(block, names, deeds, id) {
  const control = element(block.element, id, deeds);
  const target = control.matches("input, textarea, select") ? control : control.querySelector("select, input, textarea");
  if (target && !target.id) target.id = `input-${id}`;
  target?.removeAttribute("aria-label");
  const label = h("label", { for: target?.id }, plain(block.label), block.optional && h("span", { class: "muted" }, " (optional)"));
  const hint = block.hint && h("small", { class: "muted" }, plain(block.hint));
  return h("div", { class: "input-block", dataset: { blockId: id } }, label, control, hint, h("small", { class: "input-error", role: "alert" }));
}

function taskCard(task, names) {
  const state = task.status ?? "pending";
  const details = task.details?.elements ? richText(task.details, names) : task.details && mrkdwn(plain(task.details), names);
  return h("div", { class: `task-card task-${state}` }, h("span", { class: "task-dot", role: "img", "aria-label": state.replace("_", " ") }), h("div", {}, h("strong", {}, plain(task.title)), details));
}
