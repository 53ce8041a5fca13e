"""Addresses in prose in, whether they may be live out."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

EVERY_HOST = "*"
MOST_CHARS = 2_048  # of an address; what follows is text

# A word that could begin an address: a scheme's, a host's first label
WORD = r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9_+\-]{0,62}[.:\uff1a]"
SCHEME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9+.\-]{0,30}[:\uff1a](?://|\\\\|/\\|\uff0f\uff0f)|mailto:|www\.(?=[A-Za-z0-9])", re.IGNORECASE
)
_RUN = re.compile(rf"[^\s<>`|]{{1,{MOST_CHARS}}}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_\-]{0,62}\.){1,20}([A-Za-z]{2,24})(?![A-Za-z0-9]|[._\-][A-Za-z0-9])")
_PATH = re.compile(r"(?::\d{1,5})?[/?#]")
# Top-level names that are taken for addresses without a path too. Others need one: "socket.io" is a library.
_PLAIN_TLD = re.compile(r"app|biz|click|com|dev|info|link|net|online|org|shop|site|top|xyz")
_PATH_TLD = re.compile(r"club|cloud|edu|gov|icu|live|mil|name|page|pro|store|tech|wiki|[a-z]{2}")
# Countries whose names are rather a file's ending
_FILE_ENDING = re.compile(r"cc|cs|go|hs|js|md|pl|ps|py|rb|rs|sh|so|st|tf|ts|vb")
_TRAILING = ".,;:!?'\"*_~"


def address_at(text: str, start: int) -> str | None:
    """The address that Slack might make clickable at `start`: with a scheme, or a bare host. "" = none.

    None where the text must go on before one can tell.
    """
    scheme = SCHEME.match(text, start)
    if scheme is not None:
        run = _RUN.match(text, start)
        whole = run.group() if run else ""
        if start + len(whole) == len(text) and len(whole) < MOST_CHARS:
            return None
        if len(whole) > len(scheme.group()):
            return _without_trailing(whole)
        # what stands right behind it could complete it once its own signs are gone
        return "" if text[scheme.end()].isspace() else whole
    return _host_at(text, start)


def _host_at(text: str, start: int) -> str | None:
    domain = _DOMAIN.match(text, start)
    if domain is None:
        # "exam" or "example." at the end may yet become one
        tail = text[start : start + 320]
        unfinished = start + len(tail) == len(text) and re.fullmatch(r"[A-Za-z0-9_\-.+]*[:\uff1a/\\\uff0f]{0,2}", tail)
        return None if unfinished else ""
    if domain.end() > len(text) - 3:
        return None  # a path may follow, or the end of a scheme
    tld = domain.group(1).lower()
    path = _PATH.match(text, domain.end())
    named = _PLAIN_TLD.fullmatch(tld)
    if path is None:
        return domain.group() if named and text[start - 1 : start] != "@" else ""
    if not named and (_FILE_ENDING.fullmatch(tld) or not _PATH_TLD.fullmatch(tld)):
        return ""
    run = _RUN.match(text, start)
    whole = run.group() if run else ""
    if start + len(whole) == len(text) and len(whole) < MOST_CHARS:
        return None
    return _without_trailing(whole)


def _without_trailing(address: str) -> str:
    """Without the punctuation of the sentence around it, as linkifiers have it."""
    while address and (address[-1] in _TRAILING or _closes_more(address, "()") or _closes_more(address, "[]")):
        address = address[:-1]
    return address


def _closes_more(address: str, brackets: str) -> bool:
    return address.endswith(brackets[1]) and address.count(brackets[1]) > address.count(brackets[0])


def inert(destination: str) -> bool:
    """Whether a link's destination cannot lead anywhere outside: no scheme, no host, nothing encoded."""
    return not any(sign in destination for sign in (":", ".", "//", "&", "\\", "%", "\uff1a", "\u3002"))


def allowed(address: str, hosts: Collection[str]) -> bool:
    """Whether an address is plain http(s) to a host on the list, or to one of its subdomains."""
    if not re.fullmatch(r"[!-~]+", address) or "\\" in address or "&#" in address:
        return False
    if "//" not in address and not address.lower().startswith("mailto:"):
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return EVERY_HOST in hosts
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not host:
        return False
    if EVERY_HOST in hosts:
        return True
    return any(host == name or host.endswith(f".{name}") for name in hosts)
