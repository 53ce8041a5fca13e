/** Markdown (as Slack's markdown blocks take it) in, DOM nodes out; unfinished text, as in a stream, reads well too. */
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { markdownInline, mrkdwnInline, unescape } from "./inline.js";

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}(?:>|&gt;) ?(.*)$/;
const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])(?:\s+(.*)|)$/;
const TASK = /^\[([ xX])\]\s+(.*)$/s;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const DEEPEST = 8;

/** Standard Markdown in, a list of block nodes out. `names` resolves ids: {me, user(id), channel(id)}. */
export function markdown(text, names) {
  return blocksOf(text.replace(/\r\n?/g, "\n").split("\n"), names, 0);
}

/** Slack's own mrkdwn in, a list of block nodes out: code blocks, quotes and inline marks. */
export function mrkdwn(text, names) {
  const nodes = [];
  text.split(/```\n?([\s\S]*?)\n?```\n?/).forEach((part, index) => {
    if (index % 2) nodes.push(codeBlock(unescape(part), ""));
    else if (part) nodes.push(...mrkdwnLines(part, names));
  });
  return nodes;
}

function mrkdwnLines(text, names) {
  const groups = [];
  for (const line of text.split("\n")) {
    const quoted = /^(?:>|&gt;) ?(.*)$/.exec(line);
    const last = groups.at(-1);
    if (last && last.quoted === Boolean(quoted)) last.lines.push(quoted ? quoted[1] : line);
    else groups.push({ quoted: Boolean(quoted), lines: [quoted ? quoted[1] : line] });
  }
  return groups
    .map((group) => ({ ...group, inner: group.lines.join("\n") }))
    .filter((group) => group.inner.trim() || groups.length === 1)
    .map(({ quoted, inner }) => h(quoted ? "blockquote" : "p", {}, mrkdwnInline(inner.replace(/^\n+|\n+$/g, ""), names)));
}

function blocksOf(lines, names, depth) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (fence) at = fenced(lines, at, fence, nodes);
    else if (heading) at = push(nodes, headingNode(heading, names), at + 1);
    else if (isTable(lines, at)) at = table(lines, at, names, nodes);
    else if (RULE.test(line)) at = push(nodes, h("hr"), at + 1);
    else if (QUOTE.test(line) && depth < DEEPEST) at = quote(lines, at, names, depth, nodes);
    else if (ITEM.test(line) && depth < DEEPEST) at = list(lines, at, names, depth, nodes);
    else at = paragraph(lines, at, names, nodes);
  }
  return nodes;
}

function push(nodes, node, next) {
  nodes.push(node);
  return next;
}

/** Slack draws all headings alike; here the first level is a little larger. */
function headingNode([, marks, text], names) {
  return h("h3", { class: marks.length === 1 ? "md-title" : "md-heading" }, markdownInline(text, names));
}

function fenced(lines, at, [, indent, marks, info], nodes) {
  const inner = [];
  let next = at + 1;
  const closes = new RegExp(`^ {0,3}\\${marks[0]}{${marks.length},}\\s*$`);
  while (next < lines.length && !closes.test(lines[next])) inner.push(lines[next++].replace(new RegExp(`^ {0,${indent.length}}`), ""));
  nodes.push(codeBlock(unescape(inner.join("\n")), info.trim().split(/\s+/)[0]));
  return next + 1;
}

/** A code block with its language and a button that copies it. */
export function codeBlock(text, language) {
  const copy = h("button", { class: "icon-button code-copy", type: "button", "aria-label": "Copy code", title: "Copy code" }, icon("copy", 15));
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(text);
    copy.replaceChildren(icon("check", 15));
    setTimeout(() => copy.replaceChildren(icon("copy", 15)), 1200);
  });
  const label = language && h("span", { class: "code-language" }, language);
  return h("div", { class: "code-block" }, label, copy, h("pre", { tabIndex: 0, "aria-label": language ? `${language} code` : "Code" }, h("code", {}, text)));
}

function isTable(lines, at) {
  return lines[at].includes("|") && TABLE_RULE.test(lines[at + 1] ?? "") && (lines[at + 1].includes("|") || lines[at + 1].includes(":"));
}

function cells(line) {
  return line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function table(lines, at, names, nodes) {
  const aligns = cells(lines[at + 1]).map((rule) => (/^:.*:$/.test(rule) ? "center" : rule.endsWith(":") ? "right" : "left"));
  const row = (line, tag) => cells(line).map((cell, column) => h(tag, { class: `align-${aligns[column] ?? "left"}` }, markdownInline(cell, names)));
  let next = at + 2;
  const body = [];
  while (next < lines.length && lines[next].includes("|") && lines[next].trim()) body.push(h("tr", {}, row(lines[next++], "td")));
  nodes.push(tableFrame(h("thead", {}, h("tr", {}, row(lines[at], "th"))), h("tbody", {}, body)));
  return next;
}

/** The scrolling frame around every table, so that wide ones never push the page. */
export function tableFrame(...parts) {
  return h("div", { class: "table-frame", tabIndex: 0, role: "group", "aria-label": "Table" }, h("table", {}, ...parts));
}

function quote(lines, at, names, depth, nodes) {
  const inner = [];
  let next = at;
  for (let found = QUOTE.exec(lines[next] ?? ""); found; found = QUOTE.exec(lines[++next] ?? "")) inner.push(found[1]);
  nodes.push(h("blockquote", {}, blocksOf(inner, names, depth + 1)));
  return next;
}

/** One list: items at this indent, each with whatever is indented below it. */
function list(lines, at, names, depth, nodes) {
  const [, lead, firstMark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(firstMark);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const found = ITEM.exec(lines[next]);
    if (!found || found[1].length > lead.length + 1 || found[1].length < lead.length || /\d/.test(found[2]) !== ordered || RULE.test(lines[next])) break;
    const own = [found[3] ?? ""];
    const width = found[1].length + found[2].length + 1;
    for (next += 1; next < lines.length && belongs(lines, next, lead.length); next += 1) own.push(dedent(lines[next], width));
    items.push(item(own, names, depth));
  }
  const start = ordered ? Number.parseInt(firstMark, 10) : 1;
  nodes.push(h(ordered ? "ol" : "ul", { start: start === 1 ? undefined : start }, items));
  return next;
}

/** A line belongs to the item above when it is indented deeper, or is a blank before such a line or before a sibling. */
function belongs(lines, at, lead) {
  const line = lines[at];
  if (line.trim()) {
    const deeper = /^\s*/.exec(line)[0].length > lead + 1;
    const lazy = lines[at - 1].trim() && !ITEM.test(line) && !FENCE.test(line) && !HEADING.test(line) && !QUOTE.test(line) && !RULE.test(line);
    return deeper || lazy;
  }
  const following = lines.slice(at + 1, at + 3).find((next) => next.trim());
  return Boolean(following) && (/^\s*/.exec(following)[0].length > lead + 1 || (ITEM.test(following) && !RULE.test(following)));
}

function dedent(line, width) {
  const lead = /^\s*/.exec(line)[0].length;
  return line.slice(Math.min(lead, width));
}

function item(lines, names, depth) {
  const task = TASK.exec(lines[0]);
  const inner = blocksOf(task ? [task[2], ...lines.slice(1)] : lines, names, depth + 1);
  if (!task) return h("li", {}, inner);
  const done = task[1] !== " ";
  const box = h("span", { class: done ? "task-box done" : "task-box", role: "img", "aria-label": done ? "Done" : "To do" }, done && icon("check", 12));
  return h("li", { class: "task" }, box, h("div", {}, inner));
}

function paragraph(lines, at, names, nodes) {
  const own = [lines[at].trim()];
  let next = at + 1;
  const interrupts = (line) => !line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
  while (next < lines.length && !interrupts(lines[next]) && !isTable(lines, next)) own.push(lines[next++].trim());
  nodes.push(h("p", {}, markdownInline(own.join("\n"), names)));
  return next;
}
