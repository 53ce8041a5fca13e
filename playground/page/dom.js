/** Element descriptions in, DOM nodes out. Whatever people or models wrote is only ever set as text. */

const AS_PROPERTY = new Set(["value", "checked", "disabled", "hidden", "selected", "indeterminate", "tabIndex"]);

/** Builds one element; `on…` props are listeners, false and missing ones are left out, children may nest. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...present(children));
  return node;
}

function setProp(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "class") node.className = value;
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (AS_PROPERTY.has(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Builds an SVG element: avatars and icons are drawn here, so that no picture is ever fetched. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, String(value));
  node.append(...present(children));
  return node;
}

/** Replaces the children of a node, unless they are the same nodes already (which keeps focus and scroll). */
export function fill(node, ...children) {
  const wanted = present(children);
  const same = wanted.length === node.childNodes.length && wanted.every((c, i) => c === node.childNodes[i]);
  if (!same) node.replaceChildren(...wanted);
  return node;
}

/**
 * Keeps the children of a container in step with keyed items, and touches only what changed.
 * Each item is {key, stamp: [], build()}; a node is rebuilt when any part of its stamp is another value.
 */
export function keep(container, items) {
  const before = container.kept ?? new Map();
  const after = new Map();
  const wanted = new Set(items.map((item) => item.key));
  for (const [key, gone] of before) if (!wanted.has(key)) gone.node.remove(); // first, so that the rest need not move
  let cursor = container.firstChild;
  for (const item of items) {
    const known = before.get(item.key);
    const fresh = known && sameStamp(known.stamp, item.stamp) ? known : { stamp: item.stamp, node: item.build() };
    if (known && known !== fresh) {
      if (known.node === cursor) cursor = cursor.nextSibling;
      known.node.replaceWith(fresh.node);
    }
    if (fresh.node === cursor) cursor = cursor.nextSibling;
    else if (!known || known === fresh) container.insertBefore(fresh.node, cursor);
    after.set(item.key, fresh);
  }
  container.kept = after;
}

function sameStamp(one, other) {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

/** True when a keyboard event belongs to an input method that is still composing a character. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
