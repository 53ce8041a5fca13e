"""A model's raw text in, in pieces; the pages that Slack shows out: safe, with one table, cut where one would pause."""

from collections.abc import Collection

from bot.slack.pages import Pages
from bot.slack.safety import SafetyFilter
from bot.slack.tables import TableFilter


class Wording:
    """The text of one reply. `pages` never end in the middle of something that could still turn out to be unsafe."""

    def __init__(self, *, allowed_hosts: Collection[str], page_chars: int) -> None:
        self._safety = SafetyFilter(allowed_hosts)
        self._tables = TableFilter()
        self.pages = Pages(page_chars)
        self._ended = False

    def push(self, text: str, *, shown: int) -> bool:
        """Go on with raw text, `shown` characters of the last page having been read; whether a new page has begun."""
        pages = len(self.pages.texts)
        if text and not self._ended:
            self.pages.add(self._tables.feed(self._safety.feed(text)), shown=shown)
        return len(self.pages.texts) > pages

    def end(self, *, shown: int) -> None:
        """No more text is to come: what was held back is out."""
        if not self._ended:
            self._ended = True
            self.pages.add(self._tables.feed(self._safety.flush()) + self._tables.flush(), shown=shown)

    def opening(self) -> str:
        """A text to open the last page with: what it has, or if that is nothing what would come if the text ended."""
        return self.pages.last if self.pages.last.strip() else self._safety.preview()
