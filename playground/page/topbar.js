/** The person who looks and the colour theme in, the bar above everything out. */
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, isGuest, nameOf } from "./people.js";

const THEME = "playground-theme";
const SYSTEM_DARK = matchMedia("(prefers-color-scheme: dark)");

/** Puts the chosen theme on the page; until somebody chooses, the system does. */
export function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem(THEME) ?? (SYSTEM_DARK.matches ? "dark" : "light");
}

function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

function toggleTheme() {
  localStorage.setItem(THEME, isDark() ? "light" : "dark");
  applyTheme();
}

/** The top bar: the workspace's name, the theme, and who one is. */
export function topbar(app) {
  const { state } = app;
  const name = h("span", { class: "topbar-name" });
  const face = h("span", { class: "who-face" });
  const theme = h("button", { class: "icon-button", type: "button", "aria-label": "Light or dark", title: "Light or dark" });
  const drawTheme = () => fill(theme, icon(isDark() ? "sun" : "moon", 18));
  theme.addEventListener("click", () => (toggleTheme(), drawTheme()));
  SYSTEM_DARK.addEventListener("change", () => (applyTheme(), drawTheme()));
  const views = h("div", { class: "views", role: "group", "aria-label": "View" });
  const who = h("button", { class: "who", type: "button", "aria-haspopup": "true", "aria-expanded": "false", title: "Act as somebody else" }, face);
  const menu = h("div", { class: "who-menu", role: "menu", "aria-label": "Act as", hidden: true });
  const toggle = (open) => {
    menu.hidden = !open;
    who.setAttribute("aria-expanded", String(open));
    if (open) (menu.querySelector("[aria-checked=true]") ?? menu.querySelector("button"))?.focus();
  };
  who.addEventListener("click", () => toggle(menu.hidden));
  menu.addEventListener("keydown", (event) => menuKey(event, menu, () => (toggle(false), who.focus())));
  document.addEventListener("click", (event) => menu.hidden || who.contains(event.target) || menu.contains(event.target) || toggle(false));

  return {
    node: h("header", { class: "topbar" }, h("span", { class: "topbar-mark", "aria-hidden": "true" }, icon("spark", 16)), name, h("span", { class: "grow" }), views, theme, h("div", { class: "who-frame" }, who, menu)),
    draw() {
      drawTheme();
      fill(views, view(app, "messages", "chat", "Workspace"), view(app, "wire", "wire", "Wire"));
      fill(name, h("strong", {}, state.team.name), h("span", {}, "playground"));
      const own = nameOf(state, state.me.id);
      fill(face, avatar(state, { id: state.me.id, name: own }, 24), h("span", { class: "unseen" }, "You are "), h("span", { class: "who-name" }, own), icon("chevron", 14));
      const people = [...state.users.values()].filter((user) => !user.is_bot);
      menu.replaceChildren(h("p", { class: "muted" }, "Act as"), ...people.map((user) => person(app, user, toggle)));
    },
  };
}

/** One half of the view switch. */
function view(app, tab, picture, label) {
  const current = (app.state.view.tab === "wire") === (tab === "wire");
  return h("button", { class: "view", type: "button", "aria-pressed": String(current), onclick: () => current || app.actions.openView(tab) }, icon(picture, 15), h("span", {}, label));
}

function person(app, user, toggle) {
  const { state } = app;
  const name = nameOf(state, user.id);
  const role = user.is_ultra_restricted ? "Single-channel guest" : isGuest(user) ? "Guest" : user.is_owner ? "Owner" : "Member";
  const choose = () => {
    toggle(false);
    app.actions.become(user.id);
  };
  return h(
    "button",
    { role: "menuitemradio", type: "button", "aria-checked": String(user.id === state.me.id), onclick: choose },
    avatar(state, { id: user.id, name }, 28),
    h("span", {}, h("strong", {}, name), h("small", { class: "muted" }, role)),
    user.id === state.me.id && icon("check", 16),
  );
}

function menuKey(event, menu, leave) {
  const items = [...menu.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) items.at((at + step) % items.length).focus();
  else if (event.key === "Escape") leave();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
