/** An icon's name in, a drawn SVG out: twenty-unit strokes, coloured by the text around them. */
import { svg } from "./dom.js";

const PATHS = {
  hash: "M7.5 3 5.5 17 M14.5 3 12.5 17 M3.5 7.5h13.5 M3 12.5h13.5",
  lock: "M5 9h10v7.5H5z M7 9V6.5a3 3 0 0 1 6 0V9",
  menu: "M3 5.5h14 M3 10h14 M3 14.5h14",
  close: "M5 5l10 10 M15 5 5 15",
  back: "M12 4.5 6.5 10l5.5 5.5",
  send: "M3.5 3.8 17 10 3.5 16.2 5.4 10z M5.4 10H11",
  plus: "M10 4v12 M4 10h12",
  at: "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0v1.2a1.9 1.9 0 0 0 3.8 0V10A6.8 6.8 0 1 0 14 15.6",
  slash: "M6.5 3h7A3.5 3.5 0 0 1 17 6.5v7a3.5 3.5 0 0 1-3.5 3.5h-7A3.5 3.5 0 0 1 3 13.5v-7A3.5 3.5 0 0 1 6.5 3z M11.8 6.5 8.2 13.5",
  bold: "M6 4h4.7a3 3 0 0 1 0 6H6z M6 10h5.3a3 3 0 0 1 0 6H6z",
  italic: "M8.5 4h6 M5.5 16h6 M11.8 4 8.2 16",
  strike: "M3.5 10h13 M14 6.3C13.4 4.9 12 4 10 4 7.7 4 6.2 5.2 6.2 7c0 1.2.6 2.2 1.9 3 M6 13.500C6.5 15 8 16 10.2 16c2.4 0 4-1.2 4-3.1 0-1.2-.5-2.2-1.5-2.9",
  code: "M7 6 3 10l4 4 M13 6l4 4-4 4",
  codeblock: "M4.5 3.500h11a1.5 1.5 0 0 1 1.5 1.500v10a1.5 1.5 0 0 1-1.5 1.500h-11A1.5 1.5 0 0 1 3 15V5a1.5 1.5 0 0 1 1.5-1.500z M8.5 7.8 6.3 10l2.2 2.2 M11.5 7.800l2.2 2.2-2.2 2.2",
  quote: "M4 4v12 M8 6h8.5 M8 10h8.5 M8 14h5.5",
  list: "M8 5.500h9 M8 10h9 M8 14.500h9 M3.8 5.500h.4 M3.8 10h.4 M3.8 14.500h.4",
  reply: "M3.5 4.500h13v9H10l-3.5 3v-3h-3z",
  pencil: "M4 16l.8-3.300L13.2 4.300a1.4 1.4 0 0 1 2 0l.5.5a1.4 1.4 0 0 1 0 2L7.3 15.200z M11.8 5.800l2.4 2.4",
  trash: "M4 6h12 M8 6V4h4v2 M5.5 6l.8 10.500h7.400L14.5 6 M8.5 9v4.5 M11.5 9v4.5",
  copy: "M7.5 7.500h8.500v8.500H7.500z M4 12.500V4h8.5",
  sun: "M13.3 10a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0z M10 2.500v2 M10 15.500v2 M2.5 10h2 M15.5 10h2 M4.7 4.700l1.4 1.4 M13.9 13.900l1.4 1.4 M15.3 4.700l-1.4 1.4 M6.1 13.900l-1.4 1.4",
  moon: "M16 11.800A6.5 6.5 0 1 1 8.2 4a5.2 5.2 0 0 0 7.8 7.800z",
  chevron: "M5.5 8 10 12.5 14.5 8",
  check: "M4.5 10.5 8.3 14.3 15.5 6",
  up: "M6.5 9.500v7H4v-7z M6.5 9.5 9.8 3.500c1.5 0 2 1 1.7 2.300L11 8.500h4.300a1.3 1.3 0 0 1 1.3 1.600l-1.2 5.300a1.5 1.5 0 0 1-1.5 1.100H6.5",
  down: "M6.5 10.500v-7H4v7z M6.5 10.500l3.3 6c1.5 0 2-1 1.7-2.300L11 11.500h4.300a1.3 1.3 0 0 0 1.3-1.600l-1.2-5.300a1.5 1.5 0 0 0-1.5-1.100H6.5",
  stop: "M6 6h8v8H6z",
  eye: "M2.5 10S5.3 5 10 5s7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5z M12.2 10a2.2 2.2 0 1 1-4.4 0 2.2 2.2 0 0 1 4.4 0z",
  file: "M5 2.800h6.500L15.5 6.800v10.400H5z M11.3 2.800V7h4.2",
  people: "M10.3 7a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0z M2.5 16.200c.3-3 2.2-4.7 5-4.700s4.7 1.7 5 4.7 M12.5 4.400a2.7 2.7 0 0 1 0 5.2 M14.3 11.800c1.9.5 3 2 3.2 4.4",
  arrow: "M10 4v12 M5 11l5 5 5-5",
  more: "M4.8 10h.4 M9.8 10h.4 M14.8 10h.4",
  spark: "M10 3l1.6 5.400L17 10l-5.4 1.600L10 17l-1.6-5.400L3 10l5.4-1.600z",
};

/** Draws an icon; it says nothing to screen readers, so the control around it carries the name. */
export function icon(name, size = 18) {
  const paths = PATHS[name].split(" M").map((path, index) => svg("path", { d: index ? `M${path}` : path }));
  const filled = name === "stop" || name === "spark";
  return svg(
    "svg",
    {
      viewBox: "0 0 20 20", width: size, height: size, class: `icon icon-${name}`, "aria-hidden": "true",
      fill: filled ? "currentColor" : "none", stroke: "currentColor", "stroke-width": 1.5,
      "stroke-linecap": "round", "stroke-linejoin": "round",
    },
    paths,
  );
}
