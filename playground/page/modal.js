/** Views that the app opens in, a dialog out; its values go back with view_submit. */
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { plain } from "./elements.js";
import { viewDeeds } from "./home.js";
import { icon } from "./icons.js";
import { namesFor } from "./people.js";

/** Shows what the app opens, pushes, updates and closes: frames go to heard(), shutAll() forgets everything. */
export function modals(app) {
  let dialog = null;
  let stack = []; // open views, the topmost last
  const top = () => stack.at(-1);

  function heard({ trigger, view }) {
    const known = stack.some((one) => one.id === view.id);
    if (trigger === "close") stack = stack.filter((one) => one.id !== view.id);
    else if (known) stack = stack.map((one) => (one.id === view.id ? view : one));
    else if (trigger === "push" || (top() && view.previous_view_id === top().id)) stack = [...stack, view];
    else stack = [view];
    draw();
  }

  function draw() {
    const view = top();
    if (!view) return shut();
    if (!dialog) open();
    dialog.setAttribute("aria-label", plain(view.title));
    dialog.replaceChildren(form(view));
    return undefined;
  }

  function shutAll() {
    stack = [];
    draw();
  }

  function open() {
    dialog = h("dialog", { class: "modal" });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  function shut() {
    dialog?.close();
    dialog?.remove();
    dialog = null;
  }

  async function close() {
    const view = top();
    heard({ trigger: "close", view });
    await app.actions.tried(app.api.closeView(view.id));
  }

  async function submit(event) {
    event.preventDefault();
    const view = top();
    const button = dialog.querySelector(".button-primary");
    button.disabled = true;
    try {
      const answer = await app.api.submitView(view.id, collect(view));
      if (answer.errors) showErrors(answer.errors);
    } catch (error) {
      if (error.answer?.errors) showErrors(error.answer.errors);
      else app.actions.tried(Promise.reject(error));
    }
    button.disabled = false;
  }

  function showErrors(errors) {
    for (const node of dialog.querySelectorAll(".input-block")) node.querySelector(".input-error").textContent = errors[node.dataset.blockId] ?? "";
  }

  /** Inputs that nobody touched still count: with their initial values. */
  function collect(view) {
    const found = {};
    for (const block of view.blocks ?? []) {
      const node = block.type === "input" && dialog.querySelector(`[data-block-id="${CSS.escape(block.block_id)}"]`);
      if (node) found[block.block_id] = { [block.element.action_id]: valueOf(node, block.element) };
    }
    return found;
  }

  function form(view) {
    const deeds = viewDeeds(app, view.id);
    const inputs = new Map((view.blocks ?? []).filter((block) => block.type === "input").map((block) => [block.block_id, block]));
    const act = (action) => (inputs.has(action.block_id) && !inputs.get(action.block_id).dispatch_action ? undefined : deeds.act(action));
    return h(
      "form",
      { onsubmit: submit },
      h("header", {}, h("h2", {}, plain(view.title)), h("span", { class: "grow" }), h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: close }, icon("close"))),
      h("div", { class: "modal-body" }, blocks(view.blocks ?? [], namesFor(app.state), { ...deeds, act })),
      h(
        "footer",
        {},
        h("button", { class: "button", type: "button", onclick: close }, plain(view.close) || "Cancel"),
        view.submit && h("button", { class: "button button-primary", type: "submit" }, plain(view.submit)),
      ),
    );
  }

  return { heard, shutAll };
}

function valueOf(node, element) {
  if (element.type === "checkboxes" || element.type === "multi_static_select") return [...node.querySelectorAll("input:checked")].map((input) => input.value);
  if (element.type === "radio_buttons") return node.querySelector("input:checked")?.value ?? null;
  return node.querySelector("select, input, textarea")?.value ?? null;
}
