"""A setting's value as it was written in, the value as it is used out; ValueError with what it should have been."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr


def address(value: str) -> str:
    """An http(s) address without a password in it and without a slash at its end; "" stays."""
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("but should be an address such as http://host:8000")
    if parts.username or parts.password:
        raise ValueError("but must not hold a name or password: it would show in logs")
    return value.rstrip("/")


def gemma_root(value: str) -> str:
    """The address of a server's root."""
    root = address(value)
    if re.search(r"/(v1(/.*)?|generate|predict)$", root):
        raise ValueError("but should be the server's root, without a path such as /v1: GEMMA_DIALECT chooses the path")
    return root


def store_address(value: str) -> str:
    """Where the mirror is."""
    if not re.fullmatch(r"sqlite:///.+|firestore://.+", value):
        raise ValueError("but should be sqlite:///PATH or firestore://PROJECT/DATABASE")
    return value


def limits(value: str) -> str:
    """How often Slack may be called."""
    if value not in ("documented", "off") and not Path(value).is_file():
        raise ValueError("but should be documented, off, or the path of a file that exists")
    return value


def existing_file(value: str) -> str:
    """A file's path; "" stays."""
    if value and not Path(value).is_file():
        raise ValueError("but there is no such file")
    return value


def hosts(value: object) -> object:
    """ "a.example, b.example" in, ("a.example", "b.example") out."""
    if not isinstance(value, str):
        return value
    names = tuple(host.strip().lower() for host in value.split(",") if host.strip())
    wrong = [host for host in names if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", host)]
    if wrong:
        raise ValueError(f"but {wrong[0]!r} is not a host name such as example.com or *.example.com")
    return names


def seconds(value: str) -> str:
    """One or more numbers, as they were written."""
    if not re.fullmatch(r"\d+(\.\d+)?(, ?\d+(\.\d+)?)*", value):
        raise ValueError("but should be seconds with commas between, such as 3, 10, 30")
    return value


def begins_with(*prefixes: str) -> Callable[[SecretStr], SecretStr]:
    """A check that a secret begins with one of these; "" stays."""

    def check(value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(prefixes):
            raise ValueError(f"but should begin with {prefixes[0]}")
        return value

    return check
