"""A model's Markdown in, in pieces; the same Markdown out, in pieces, with nothing in it that Slack would act upon.

Mentions of people, groups, channels and everybody become plain text, in prose and in code. Links are live only to hosts
on the allow-list; others are shown as their text with the address as code, which is never clickable. Images are never
embedded. Text without any such thing comes out as it went in. What comes out does not depend on how the text was cut
into pieces: nothing is decided before enough of what follows is known, and what is held back for that is bounded.
"""

import re
from collections.abc import Collection

from bot.slack import lookalikes, signs
from bot.slack.addresses import address_at, allowed, inert
from bot.slack.fences import Fences

_HOLD: tuple[str, int] | None = None


class SafetyFilter:
    """Feed it the pieces of one text, then flush it; what it returns, put together, is the safe text."""

    def __init__(self, allowed_hosts: Collection[str] = ()) -> None:
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._cleaner = lookalikes.Cleaner()
        self._fences = Fences()
        self._text = "\n"  # one character that is out already, then what is held back
        self._final = False
        self._line_begins = True
        self._code = False
        self._strays: set[int] = set()  # lengths of backtick runs of this paragraph that may close anything
        self._last = "\n"
        self._made_code = False  # by the last piece: a backtick right after it would change it
        self._cells = (False, False)  # whether the line before, and this one so far, have a bar as tables have

    def feed(self, piece: str) -> str:
        """The safe text that can be told with `piece`."""
        self._text += self._cleaner.clean(piece)
        return self._drain()

    def flush(self) -> str:
        """The rest: no more is to come."""
        self._final = True
        return self._drain()

    def preview(self) -> str:
        """What `flush` would give if nothing more came; changes nothing."""
        twin = SafetyFilter(self._hosts)
        twin._text, twin._line_begins, twin._code = self._text, self._line_begins, self._code
        twin._fences.open, twin._strays, twin._last = self._fences.open, set(self._strays), self._last
        twin._cells, twin._made_code = self._cells, self._made_code
        return twin.flush()

    def _drain(self) -> str:
        end = len(self._text)
        if self._final:
            self._text += "\n\n\n"  # so that everything that asks for what follows is answered
        pieces, at = [], 1
        while at < end:
            step = self._step(at) or ((self._text[at], 1) if self._final else _HOLD)
            if step is None:
                break
            piece, length = step
            if at + length > end:  # the end that was put there
                piece, length = piece[: len(piece) - (at + length - end)], end - at
            if piece:
                pieces.append(piece)
                self._last = piece[-1]
            self._cells = (self._cells[0], self._cells[1] or "|" in self._text[at : at + length])
            at += length
        self._text = self._text[at - 1 : end]
        return "".join(pieces)

    def _step(self, at: int) -> tuple[str, int] | None:
        """The next safe piece and how much of the text it stands for, or None: more must come first."""
        if self._line_begins:
            kind = self._line(at)
            if kind is None:
                return _HOLD
            self._line_begins, self._code = False, kind
        sign = (signs.CODE if self._code else signs.PROSE).search(self._text, at)
        if sign is None:
            return self._plain(at)
        if sign.start() > at:
            return self._text[at : sign.start()], sign.start() - at
        return self._signed(at, sign.group())

    def _plain(self, at: int) -> tuple[str, int] | None:
        """The rest has no sign in it; its last word may yet become one."""
        end = len(self._text)
        if not self._code and not self._final:
            word = signs.WORD_TAIL.search(self._text, max(at, end - 64))
            end = word.start() if word else end
        return (self._text[at:end], end - at) if end > at else _HOLD

    def _line(self, at: int) -> bool | None:
        """Whether the line that begins here is code; None where more must come first."""
        text = self._text
        head = signs.LINE_HEAD.match(text, at)
        end = head.end() if head else at
        fence = "```" in text[at:end] or "~~~" in text[at:end]
        if end == len(text) and end - at < 256 and not self._final:
            return None
        stop = text.find("\n", end) if fence or self._fences.open else end + 1
        if fence and stop < 0 and len(text) - at < 512:
            return None
        line = text[at : stop if stop >= 0 else len(text)]
        kind = self._fences.line(line)
        if kind != "prose" or not line.strip():
            self._strays.clear()
        return kind != "prose"

    def _signed(self, at: int, sign: str) -> tuple[str, int] | None:
        if sign == "\n":
            self._line_begins, self._cells = True, (self._cells[1], False)
            return "\n", 1
        if sign[0] in "<&\uff1c\ufe64":
            return self._angle(at)
        if sign[0] == "`":
            return self._ticks(at)
        if sign[0] == "\\":
            return self._escape(at)
        if sign[0] in "![":
            return self._bracket(at)
        return self._link_end(at) if sign[0] == "]" else self._word(at)

    def _angle(self, at: int) -> tuple[str, int] | None:
        opener = lookalikes.opener_at(self._text, at)
        window = self._text[at : at + lookalikes.WINDOW]
        whole = len(window) == lookalikes.WINDOW or any(sign in window[1:] for sign in "\n>\uff1e\ufe65") or self._final
        if opener is None:
            return _HOLD
        if not opener:
            return self._text[at], 1
        if not whole and not signs.NO_TOKEN.match(window, len(opener)):
            return _HOLD
        if lookalikes.is_mention(window):
            return lookalikes.disarmed_at(self._text, at, opener)
        if opener != "<" or not window[1:2].isascii() or window[1:2] in " =<>&0123456789":
            return opener, len(opener)
        return self._angled_link(at)

    def _angled_link(self, at: int) -> tuple[str, int] | None:
        """`<address|label>`, `<address>`, or a tag that is just text."""
        stop = signs.TAG_ENDS.search(self._text, at + 1, at + signs.MOST_HELD)
        if stop is None and len(self._text) - at < signs.MOST_HELD and not self._text.startswith(" ", at + 1):
            return _HOLD
        link = signs.ANGLED.match(self._text, at)
        if link is not None and not allowed(link["address"], self._hosts):
            if self._code:
                return lookalikes.disarmed_at(self._text, at, "<")
            label = self._inner(link["label"] or "")
            address = self._as_code(link["address"])
            shown = label if self._last in signs.APART else f"[{label}]"
            return (f"{shown} ({address})" if label else address), link.end() - at
        if link is not None:
            return link.group(), link.end() - at
        if signs.ANGLED_BEGINS.match(self._text, at):
            return "‹", 1
        tag = None if self._code else signs.TAG.match(self._text, at)
        hides = tag is not None and any(sign in tag.group() for sign in ("`", "//", "](", "www."))
        return ("‹" if hides else "<"), 1  # or backticks in it would be no code's

    def _ticks(self, at: int) -> tuple[str, int] | None:
        """A code span of this line, or backticks that are just backticks."""
        text = self._text
        run = 1
        while text.startswith("`", at + run):
            run += 1
        line_end = text.find("\n", at, at + signs.MOST_HELD)
        unfinished = line_end < 0 and len(text) - at < signs.MOST_HELD
        limit = line_end if line_end >= 0 else min(len(text), at + signs.MOST_HELD)
        closing = signs.closing_run(text, at + run, run, limit)
        if unfinished and (closing is None or closing + run == len(text)):
            return _HOLD
        content = text[at + run : closing] if closing is not None else ""
        in_cells = any(self._cells) and "|" in content and any(sign in content for sign in ("//", "](", "."))
        apart = " " if self._made_code and self._last == "`" else ""
        self._made_code = False
        if closing is None or self._strays or in_cells:  # after one stray run any other may pair differently
            self._strays.add(run)
            return apart + text[at : at + run], run
        content = self._inner(content, code=True)
        return apart + text[at : at + run] + content + text[at : at + run], closing + run - at

    def _escape(self, at: int) -> tuple[str, int] | None:
        following = self._text[at + 1 : at + 2]
        if following == "`":
            self._strays.add(1)  # whether Slack reads the escape or not
        return _HOLD if not following else ("\\" + following, 2) if following in "`\\" else ("\\", 1)

    def _bracket(self, at: int) -> tuple[str, int] | None:
        """`[text](address)`, `![text](address)`, `[label]: address`, or a bracket."""
        if self._text.startswith("!", at) and len(self._text) == at + 1:
            return _HOLD
        if self._text.startswith("!", at) and self._text[at + 1] != "[":
            return "!", 1
        link = signs.LINK_TEXT.match(self._text, at, at + signs.MOST_LINK_TEXT)
        if link is None:
            window = self._text[at : at + signs.MOST_LINK_TEXT]
            if len(window) < signs.MOST_LINK_TEXT and not {"\n", "`"} & set(window):
                return _HOLD
            return self._text[at], 1
        after = self._text[link.end() : link.end() + 1]
        if not after:
            return _HOLD
        if after == "(":
            return self._inline_link(at, link)
        if after == ":" and not link["image"]:
            return self._definition(at, link)
        return self._text[at], 1

    def _inline_link(self, at: int, link: re.Match[str]) -> tuple[str, int] | None:
        target = signs.DESTINATION.match(self._text, link.end(), link.end() + signs.MOST_HELD)
        if target is None:
            rest = self._text[link.end() : link.end() + signs.MOST_HELD]
            if "\n" not in rest[1:].lstrip() and len(rest) < signs.MOST_HELD:
                return _HOLD
            return self._text[at], 1
        address = target["angled"] if target["angled"] is not None else target["bare"]
        inner = self._inner(link["text"])
        whole = target.end() - at
        if "`" in address:
            return self._text[at], 1
        if inert(address) and not link["image"]:
            return f"[{inner}]{lookalikes.disarmed(target.group())}", whole
        if allowed(address, self._hosts):
            return f"[{inner}]({address})", whole  # an image becomes a link
        code = self._as_code(address) if address else ""
        title = self._inner(f" {target['title']}") if target["title"] else ""
        shown = inner if self._last in signs.APART and inner[:1] not in "!@#" else f"[{inner}]"
        if not inner or link["text"] == address:
            return code + title, whole
        return (f"{shown} ({code}{title})" if code else shown + title), whole

    def _definition(self, at: int, link: re.Match[str]) -> tuple[str, int] | None:
        target = signs.DEFINED.match(self._text, link.end(), link.end() + signs.MOST_HELD)
        rest = self._text[link.end() + 1 : link.end() + signs.MOST_HELD]
        if target is None:
            if re.fullmatch(r"[ \t]*\n?[ \t]*\S*", rest) and len(rest) < signs.MOST_HELD - 1:
                return _HOLD
            return self._text[at], 1
        address = target["angled"] if target["angled"] is not None else target["bare"]
        if "`" in address or inert(address) or allowed(address, self._hosts):
            return self._text[at], 1
        label = self._inner(link["text"])
        return f"{label}: {self._as_code(address)}", target.end() - at

    def _link_end(self, at: int) -> tuple[str, int] | None:
        """A bracket that closes what was not recognised as a link; Slack shall not recognise it either."""
        following = self._text[at + 1 : at + 2]
        if not following:
            return _HOLD
        target = signs.TARGET.match(self._text, at + 2, at + 2 + signs.MOST_HELD)
        end, address = (target.end(), target[1]) if target else (at + 2, "")
        if end == len(self._text) and end - at < signs.MOST_HELD:
            return _HOLD
        leads_on = not inert(address) or address[-1:] == "(" if following == "(" else signs.BREAKS_OFF.match(address)
        return ("] " if leads_on and not allowed(address, self._hosts) else "]"), 1

    def _word(self, at: int) -> tuple[str, int] | None:
        """A bare address, or a word."""
        address = address_at(self._text, at)
        if address is None:
            return _HOLD
        if not address:
            word = signs.ALNUM.match(self._text, at)
            return (word.group(), word.end() - at) if word else (self._text[at], 1)
        if allowed(address, self._hosts):
            return address, len(address)
        return self._as_code(address), len(address)

    def _inner(self, text: str, *, code: bool = False) -> str:
        """A whole piece of the paragraph made safe; in a code span nothing but angle brackets matters."""
        inner = SafetyFilter(self._hosts)
        inner._code = code
        inner._line_begins, inner._strays, inner._last, inner._cells = False, self._strays, self._last, self._cells
        return inner.feed(text) + inner.flush()

    def _as_code(self, address: str) -> str:
        """An address as code, whatever backticks stand around it."""
        plain = (
            lookalikes.disarmed(address)
            .replace("`", "'")
            .replace("<", "‹")
            .replace(">", "›")
            .replace("\n", " ")
            .strip()
        )
        run = 1
        while run in self._strays:
            run += 1
        code = f"{'`' * run}{plain}{'`' * run}"
        self._made_code = True
        return (" " if self._last in "`\\" else "") + code


def safe(text: str, allowed_hosts: Collection[str] = ()) -> str:
    """A whole text made safe."""
    whole = SafetyFilter(allowed_hosts)
    return whole.feed(text) + whole.flush()
