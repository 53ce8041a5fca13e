/** Block Kit's interactive elements in, real controls out. Each calls `deeds.act` or, within a modal's input, keeps its value. */
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { confirmFirst } from "./dialog.js";

export const plain = (text) => (typeof text === "string" ? text : text?.text ?? "");

/**
 * Draws one element. `deeds` is {act(action), press(action_id, value), isPressed(action_id, value)};
 * an action is what the control API takes: {action_id, block_id, value} or {…, selected_option_value}.
 */
export function element(spec, blockId, deeds) {
  const draw = ELEMENTS[spec.type];
  return draw ? draw(spec, blockId, deeds) : h("span", { class: "muted" }, `(${spec.type} is not drawn by this page)`);
}

const ELEMENTS = {
  button, static_select: select, external_select: select, overflow, feedback_buttons: feedback, icon_button: iconButton,
  checkboxes: (spec, id, deeds) => choices(spec, id, deeds, "checkbox"),
  radio_buttons: (spec, id, deeds) => choices(spec, id, deeds, "radio"),
  multi_static_select: (spec, id, deeds) => choices(spec, id, deeds, "checkbox"),
  users_select: (spec, id, deeds) => select(withOptions(spec, deeds.people()), id, deeds),
  conversations_select: (spec, id, deeds) => select(withOptions(spec, deeds.conversations()), id, deeds),
  channels_select: (spec, id, deeds) => select(withOptions(spec, deeds.conversations()), id, deeds),
  datepicker: (spec, id, deeds) => field(spec, id, deeds, "date", spec.initial_date),
  timepicker: (spec, id, deeds) => field(spec, id, deeds, "time", spec.initial_time),
  plain_text_input: textInput,
  number_input: (spec, id, deeds) => field(spec, id, deeds, "number", spec.initial_value),
  email_text_input: (spec, id, deeds) => field(spec, id, deeds, "email", spec.initial_value),
  url_text_input: (spec, id, deeds) => field(spec, id, deeds, "url", spec.initial_value),
  image: (spec) => h("span", { class: "image-alt" }, icon("eye", 14), spec.alt_text || "image"),
  workflow_button: button,
};

async function act(spec, blockId, deeds, value) {
  if (spec.confirm && !(await confirmFirst(spec.confirm))) return false;
  deeds.act({ action_id: spec.action_id, block_id: blockId, ...value });
  return true;
}

function button(spec, blockId, deeds) {
  const click = () => {
    if (spec.url) window.open(spec.url, "_blank", "noopener,noreferrer");
    act(spec, blockId, deeds, { value: spec.value ?? "" });
  };
  const style = spec.style ? `button button-${spec.style}` : "button";
  return h("button", { class: style, type: "button", onclick: click, "aria-label": spec.accessibility_label }, plain(spec.text));
}

function withOptions(spec, options) {
  const initial = spec.initial_user ?? spec.initial_conversation ?? spec.initial_channel;
  return { ...spec, options, initial_option: options.find((option) => option.value === initial) };
}

function select(spec, blockId, deeds) {
  const chosen = spec.initial_option?.value;
  const option = (one) => h("option", { value: one.value, selected: one.value === chosen }, plain(one.text));
  const groups = spec.option_groups?.map((group) => h("optgroup", { label: plain(group.label) }, group.options.map(option)));
  const placeholder = plain(spec.placeholder) || "Choose an option";
  const node = h(
    "select",
    { class: "select", "aria-label": spec.accessibility_label ?? placeholder, dataset: { actionId: spec.action_id } },
    !chosen && h("option", { value: "", disabled: true, selected: true, hidden: true }, placeholder),
    groups ?? (spec.options ?? []).map(option),
  );
  node.addEventListener("change", async () => {
    if (!(await act(spec, blockId, deeds, { selected_option_value: node.value }))) node.value = chosen ?? "";
  });
  return h("span", { class: "select-frame" }, node, icon("chevron", 14));
}

function overflow(spec, blockId, deeds) {
  const menu = select({ ...spec, placeholder: "More", initial_option: undefined }, blockId, deeds);
  menu.classList.add("select-overflow");
  return menu;
}

function feedback(spec, blockId, deeds) {
  const one = (choice, glyph) => {
    const value = choice.value;
    const pressed = deeds.isPressed(spec.action_id, value);
    const label = choice.accessibility_label ?? plain(choice.text);
    const press = () => {
      deeds.press(spec.action_id, value);
      deeds.act({ action_id: spec.action_id, block_id: blockId, value });
    };
    return h("button", { class: "icon-button feedback", type: "button", "aria-label": label, title: label, "aria-pressed": String(pressed), onclick: press }, icon(glyph, 16));
  };
  return h("span", { class: "feedback-pair", role: "group", "aria-label": "Feedback" }, one(spec.positive_button, "up"), one(spec.negative_button, "down"));
}

function iconButton(spec, blockId, deeds) {
  const label = spec.accessibility_label ?? plain(spec.text);
  const click = () => act(spec, blockId, deeds, { value: spec.value ?? "" });
  return h("button", { class: "icon-button", type: "button", "aria-label": label, title: plain(spec.text), onclick: click }, icon(spec.icon === "trash" ? "trash" : "more", 16));
}

function choices(spec, blockId, deeds, type) {
  const initial = new Set([...(spec.initial_options ?? []), spec.initial_option].filter(Boolean).map((option) => option.value));
  const group = `${blockId}-${spec.action_id}`;
  const report = () => {
    const values = [...node.querySelectorAll("input:checked")].map((input) => input.value);
    const value = type === "radio" ? { selected_option_value: values[0] } : { selected_option_values: values };
    deeds.act({ action_id: spec.action_id, block_id: blockId, ...value });
  };
  const one = (option) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type, name: group, value: option.value, checked: initial.has(option.value), onchange: report }),
      h("span", {}, plain(option.text), option.description && h("small", { class: "muted" }, plain(option.description))),
    );
  const node = h("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group" }, (spec.options ?? []).map(one));
  return node;
}

function field(spec, blockId, deeds, type, initial) {
  const input = h("input", { class: "field", type, value: initial ?? "", placeholder: plain(spec.placeholder), "aria-label": plain(spec.placeholder) || type });
  input.addEventListener("change", () => deeds.act({ action_id: spec.action_id, block_id: blockId, value: input.value }));
  return input;
}

function textInput(spec, blockId, deeds) {
  if (!spec.multiline) return field(spec, blockId, deeds, "text", spec.initial_value);
  const area = h("textarea", { class: "field", rows: 4, value: spec.initial_value ?? "", placeholder: plain(spec.placeholder), maxlength: spec.max_length });
  area.addEventListener("change", () => deeds.act({ action_id: spec.action_id, block_id: blockId, value: area.value }));
  return area;
}
