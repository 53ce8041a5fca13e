"""Texts that Slack might act upon, and what of a text it might still act upon."""

import html
import re
import unicodedata

from markdown_it import MarkdownIt

INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u00ad\u034f\ufeff\u180e\U000e0000-\U000e007f]")
MENTION = re.compile(
    r"<\s*(?:!\s*(?:channel|here|everyone|group|subteam|date)|@[UWB][A-Z0-9]+[>|]|#[CGD][A-Z0-9]+[>|])", re.IGNORECASE
)
SLACK_LINK = re.compile(r"<(?:https?|mailto|ftp|slack|javascript):[^<>\n]+>")
ADDRESS = re.compile(
    r"(?:https?://|(?<![a-z0-9])www\.)(?=[\w\[])[^\s`]+|(?<!@)\b(?:[a-z0-9-]+\.)+(?:com|org|net)\b", re.IGNORECASE
)
READERS = [MarkdownIt("commonmark", {"html": tags}).enable(["table"]) for tags in (True, False)]

MENTIONS = [
    "<!channel>",
    "<!here>",
    "<!everyone|x>",
    "<!subteam^S123|@all>",
    "<@U123ABC>",
    "<@W1>",
    "<#C0GENERAL|general>",
]
MENTIONS += ["<!date^1392734382^{date}|x>", "&lt;!channel&gt;", "&#60;!here&#62;", "&#x3c;!everyone>", "&lt!channel>"]
MENTIONS += ["<!chan\u200bnel>", "<\u2060!here>", "<!\u00adchannel>", "＜！channel＞", "＜@U123ABC＞", "﹤!channel>"]
MENTIONS += ["<!CHANNEL>", "< !channel>", "&amp;lt;!channel&amp;gt;", "<@\u202eU123ABC>", "<!ch\U000e0061annel>"]
LINKS = [
    "[click](https://evil.com/?q=secret)",
    "[click](<https://evil.com/a b>)",
    '[click](https://evil.com "title")',
    "[click]( https://evil.com )",
    "[click](\nhttps://evil.com)",
    "[a [nested] text](https://evil.com)",
    "[`code`](https://evil.com)",
    "[![alt](https://evil.com/i.png)](https://evil.com)",
    "![alt](https://evil.com/i.png)",
    "![](//evil.com/i.png)",
    "[x](//evil.com)",
    "[x](www.evil.com)",
    "[x](evil.com/a)",
    "[x](javascript:alert(1))",
    "[x](data:text/html,hi)",
    "[x](https&#58;//evil.com)",
    "[x](https:\\\\evil.com)",
    "[ref]\n\n[ref]: https://evil.com",
    "[ref][]\n\n[ref]:\n  <https://evil.com> 'title'",
    "![ref]\n\n> [ref]: https://evil.com/i.png",
    "<https://evil.com>",
    "<https://evil.com|click here>",
    "<mailto:a@evil.com|mail>",
    "<slack://open?x=1|open>",
    "https://evil.com/a?b=c#d",
    "HTTPS://EVIL.COM",
    "https://user:pw@evil.com/",
    "https://good.example@evil.com/",
    "https://xn--vil-9na.com/x",
    "https://еvil.com/x",
    "https://good.example.evil.com",
    "http://[2001:db8::1]/x",
    "www.evil.com",
    "evil.com/steal?x=1",
    "x_https://evil.com",
    "https:/\u200b/evil.com",
    "(https://evil.com)",
    "**https://evil.com**",
    "| a | https://evil.com |\n|---|---|\n| [x](https://evil.com) | `a | https://evil.com ` |",
    "`see https://evil.com\nand more`",
    "a ` b `` https://evil.com ` c",
    "foo ` bar\nbaz `https://evil.com` qux",
    "\\`https://evil.com\\`",
    "`` ` https://evil.com",
    '<a href="`">`https://evil.com`',
    "> ```\nhttps://evil.com",
    "- ```\nhttps://evil.com",
    "```\ncode\n```\nhttps://evil.com",
    "~~~\n```\n~~~\nhttps://evil.com",
    "    ```\nhttps://evil.com",
    "```not `a` fence\nhttps://evil.com",
]


def live_in(text: str) -> list[str]:
    """What Slack, or generous software in its place, might act upon."""
    decoded = unicodedata.normalize("NFKC", html.unescape(html.unescape(INVISIBLE.sub("", text))))
    found = [match.group() for each in (text, decoded) for match in MENTION.finditer(each)]
    found += [match.group() for match in SLACK_LINK.finditer(text)]
    for reader in READERS:
        for child in (child for token in reader.parse(text) for child in token.children or ()):
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if ":" in target or "." in target:
                found.append(target)
            if child.type == "text":
                found += ADDRESS.findall(child.content)
    return found
