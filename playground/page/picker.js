/** A textarea in, a list of suggestions above it out: arrows choose, Enter or Tab takes, Esc closes. */
import { completions } from "./completion.js";
import { h } from "./dom.js";

let lists = 0;

/** Adds completion to a textarea; `context()` says where it stands. key(event) is true when the list took the key. */
export function picker(app, area, context, onTake) {
  const id = `suggestions-${++lists}`;
  const node = h("ul", { class: "suggestions", id, role: "listbox", "aria-label": "Suggestions", hidden: true });
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", id);
  let open = null;
  let chosen = 0;

  function close() {
    open = null;
    node.hidden = true;
    area.removeAttribute("aria-activedescendant");
  }

  function update() {
    open = completions(app.state, area.value, area.selectionStart, context());
    chosen = 0;
    draw();
  }

  function draw() {
    if (!open) return close();
    const option = ({ label, detail, picture }, index) =>
      h(
        "li",
        { role: "option", id: `${id}-${index}`, "aria-selected": String(index === chosen), onmousedown: (event) => (event.preventDefault(), take(index)) },
        picture, h("strong", {}, label), h("span", { class: "muted" }, detail ?? ""),
      );
    node.replaceChildren(...open.items.map(option));
    node.hidden = false;
    area.setAttribute("aria-activedescendant", `${id}-${chosen}`);
    return undefined;
  }

  function take(index) {
    const { from, items } = open;
    const rest = area.value.slice(area.selectionStart);
    const insert = items[index].insert;
    area.value = area.value.slice(0, from) + insert + rest.replace(/^ /, "");
    area.setSelectionRange(from + insert.length, from + insert.length);
    close();
    area.focus();
    onTake();
  }

  function key(event) {
    if (!open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const whole = area.value.trim() === open.items[chosen].insert.trim();
    if (step) chosen = (chosen + step + open.items.length) % open.items.length;
    else if (event.key === "Escape") return close(), true;
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !whole)) return take(chosen), true;
    else return false;
    draw();
    return true;
  }

  return { node, update, key, close };
}
