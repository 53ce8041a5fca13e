/** The app's Home view in, the Home tab out. */
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { nameOf, namesFor } from "./people.js";

/** The Home tab of the app; draw(visible) shows state.home. */
export function homeView(app) {
  const { state } = app;
  const inner = h("div", { class: "home-inner" });
  const node = h("div", { class: "home", hidden: true, tabIndex: 0, role: "region", "aria-label": "Home" }, inner);
  let drawn;
  return {
    node,
    draw(visible) {
      node.hidden = !visible;
      if (!visible || drawn === state.home) return;
      drawn = state.home;
      const view = state.home;
      inner.replaceChildren(...(view?.blocks?.length ? blocks(view.blocks, namesFor(state), viewDeeds(app, view.id)) : [empty(state)]));
    },
  };
}

function empty(state) {
  return h("p", { class: "muted" }, `${state.app.name} has not published a Home view.`);
}

/** What clicks within a view's blocks do. */
export function viewDeeds(app, viewId) {
  const { state } = app;
  return {
    act: (action) => app.actions.act({ view_id: viewId, ...action }),
    press: () => {},
    isPressed: () => false,
    people: () => [...state.users.values()].map((user) => ({ text: nameOf(state, user.id), value: user.id })),
    conversations: () => [...state.channels.values()].filter((one) => !one.is_im).map((one) => ({ text: `#${one.name}`, value: one.id })),
  };
}
