/** One line's worth of Markdown or Slack's mrkdwn in, DOM nodes out: emphasis, code, links, mentions, emoji. */
import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const DEEPEST = 12;
const BARE_URL = /https?:\/\/[^\s<>"'`|\\^{}]+/y;
const EMOJI = /:([a-z0-9_+-]+):/y;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0" };

/** Slack escapes three characters in text; models write a few more entities. */
export function unescape(text) {
  return text.replace(/&(?:lt|gt|amp|quot|#39|nbsp);/g, (entity) => ENTITIES[entity]);
}

/** A link that can only lead to the web or a mailbox; anything else stays text. */
export function link(url, ...label) {
  const target = unescape(url);
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return h("span", {}, ...label);
  return h("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, ...label);
}

/** Mentions, channels, broadcasts, dates and links as Slack writes them between angle brackets. */
function entity(inner, names) {
  const [target, label] = [inner.split("|", 1)[0], inner.includes("|") ? inner.slice(inner.indexOf("|") + 1) : ""];
  if (/^@[UW]\w+$/.test(target)) return mention(target.slice(1), names);
  if (/^#C\w+$/.test(target)) return h("span", { class: "mention" }, `#${names.channel(target.slice(1)) ?? unescape(label)}`);
  if (/^!(here|channel|everyone)$/.test(target)) return h("span", { class: "mention mention-me" }, `@${target.slice(1)}`);
  if (/^!subteam\^/.test(target)) return h("span", { class: "mention" }, unescape(label) || "@group");
  if (/^!date\^/.test(target)) return h("time", {}, unescape(label) || target);
  if (/^(https?:\/\/|mailto:)/i.test(target)) return link(target, unescape(label || target.replace(/^mailto:/, "")));
  return null;
}

export function mention(user, names) {
  const own = names.me === user;
  return h("span", { class: own ? "mention mention-me" : "mention" }, `@${names.user(user)}`);
}

/** How the two dialects mark emphasis: the marker, its element, and how its inside is to be read. */
const MARKDOWN = [
  ["***", (inner) => h("strong", {}, h("em", {}, inner))],
  ["**", (inner) => h("strong", {}, inner)],
  ["__", (inner) => h("strong", {}, inner), "word"],
  ["~~", (inner) => h("s", {}, inner)],
  ["*", (inner) => h("em", {}, inner)],
  ["_", (inner) => h("em", {}, inner), "word"],
];
const MRKDWN = [
  ["*", (inner) => h("strong", {}, inner), "word"],
  ["_", (inner) => h("em", {}, inner), "word"],
  ["~", (inner) => h("s", {}, inner), "word"],
];

/** Markdown's inline marks; `names` resolves ids: {me, user(id), channel(id)}. */
export function markdownInline(text, names) {
  return new Inline(text, names, "markdown").nodes();
}

/** The inline marks of Slack's own mrkdwn. */
export function mrkdwnInline(text, names) {
  return new Inline(text, names, "mrkdwn").nodes();
}

class Inline {
  constructor(text, names, dialect, depth = 0) {
    Object.assign(this, { text, names, dialect, depth, at: 0, out: [], plain: "", hopeless: new Set() });
    this.marks = dialect === "markdown" ? MARKDOWN : MRKDWN;
  }

  nodes() {
    while (this.at < this.text.length) {
      if (!this.#special()) this.plain += this.text[this.at++];
    }
    this.#flush();
    return this.out;
  }

  #special() {
    switch (this.text[this.at]) {
      case "\n": return this.#push(h("br"), 1);
      case "\\": return this.dialect === "markdown" && this.#escaped();
      case "`": return this.#code();
      case "<": return this.#angle();
      case "!":
      case "[": return this.dialect === "markdown" && this.#bracket();
      case "h": return this.#bareUrl();
      case ":": return this.#emoji();
      case "*":
      case "_":
      case "~": return this.#emphasis();
      default: return false;
    }
  }

  #push(node, length) {
    this.#flush();
    this.out.push(node);
    this.at += length;
    return true;
  }

  #flush() {
    if (this.plain) this.out.push(unescape(this.plain));
    this.plain = "";
  }

  #inner(text) {
    return this.depth >= DEEPEST ? [unescape(text)] : new Inline(text, this.names, this.dialect, this.depth + 1).nodes();
  }

  #escaped() {
    const next = this.text[this.at + 1];
    if (next === "\n") return this.#push(h("br"), 2);
    if (!next || !/[!-/:-@[-`{-~]/.test(next)) return false;
    this.plain += next === "&" ? "&amp;" : next;
    this.at += 2;
    return true;
  }

  #code() {
    const ticks = /`+/y;
    ticks.lastIndex = this.at;
    const [run] = ticks.exec(this.text);
    const end = this.hopeless.has(run) ? -1 : this.#sameRun(run, this.at + run.length);
    if (end < 0) {
      this.hopeless.add(run);
      this.plain += run;
      this.at += run.length;
      return true;
    }
    let inner = this.text.slice(this.at + run.length, end).replace(/\n/g, " ");
    if (/^ .*\S.* $/.test(inner)) inner = inner.slice(1, -1);
    return this.#push(h("code", {}, unescape(inner)), end + run.length - this.at);
  }

  #sameRun(run, from) {
    const runs = /`+/g;
    runs.lastIndex = from;
    for (let found = runs.exec(this.text); found; found = runs.exec(this.text)) {
      if (found[0].length === run.length) return found.index;
    }
    return -1;
  }

  #angle() {
    const end = this.text.indexOf(">", this.at);
    if (end < 0) return false;
    const node = entity(this.text.slice(this.at + 1, end), this.names);
    return node ? this.#push(node, end + 1 - this.at) : false;
  }

  #bracket() {
    const found = /!?\[((?:\\.|[^[\]\\]|\[[^[\]]*\])*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/y;
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (!match) return false;
    return this.#push(link(match[2], ...this.#inner(match[1] || match[2])), match[0].length);
  }

  #bareUrl() {
    BARE_URL.lastIndex = this.at;
    const match = BARE_URL.exec(this.text);
    if (!match || /\w/.test(this.text[this.at - 1] ?? "")) return false;
    let url = match[0].replace(/(?:&gt;.*|[.,:;!?*_~\]]+)$/, "");
    if (url.endsWith(")") && !url.includes("(")) url = url.slice(0, -1);
    return this.#push(link(url, unescape(url)), url.length);
  }

  #emoji() {
    EMOJI.lastIndex = this.at;
    const match = EMOJI.exec(this.text);
    const drawn = match && emoji(match[1]);
    return drawn ? this.#push(h("span", { role: "img", "aria-label": match[1] }, drawn), match[0].length) : false;
  }

  #emphasis() {
    for (const [mark, build, rule] of this.marks) {
      if (!this.text.startsWith(mark, this.at) || this.hopeless.has(mark)) continue;
      const from = this.at + mark.length;
      if (!/\S/.test(this.text[from] ?? " ")) continue;
      if (rule === "word" && /\w/.test(this.text[this.at - 1] ?? "")) continue;
      const end = this.#closer(mark, from, rule);
      if (end < 0) this.hopeless.add(mark);
      else return this.#push(build(this.#inner(this.text.slice(from, end))), end + mark.length - this.at);
    }
    const run = /[*_~]+/y;
    run.lastIndex = this.at;
    const [marks] = run.exec(this.text);
    this.plain += marks;
    this.at += marks.length;
    return true;
  }

  /** Where the emphasis ends: not after a space, not within code, and not where a longer mark stands. */
  #closer(mark, from, rule) {
    for (let at = from; at < this.text.length; at += 1) {
      const here = this.text[at];
      if (here === "\\" && this.dialect === "markdown") at += 1;
      else if (here === "`") at = this.#afterCode(at) - 1;
      else if (this.dialect === "mrkdwn" && here === "\n") return -1;
      else if (this.text.startsWith(mark, at)) {
        const run = runLength(this.text, at);
        const fits = mark.length === 1 ? run !== 2 : run >= mark.length;
        const opens = /\s/.test(this.text[at - 1]);
        const inWord = rule === "word" && /\w/.test(this.text[at + run] ?? "");
        if (fits && !opens && !inWord && at > from) return at + (run > mark.length && mark.length > 1 ? run - mark.length : 0);
        at += run - 1;
      }
    }
    return -1;
  }

  #afterCode(at) {
    const run = runLength(this.text, at);
    const end = this.#sameRun("`".repeat(run), at + run);
    return end < 0 ? at + run : end + run;
  }
}

function runLength(text, at) {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return end - at;
}
