"""A model hub's address in, a checked file of weights on disk out: fetched once, resumed where it broke off.

The hash that a file must have is the one that the hub announces for it; none is written down here. What was fetched,
from where and with which hash, is recorded beside the file.
"""

import errno
import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from tqdm import tqdm

from bot.errors import ModelError

HUB = "https://huggingface.co"
TERMS = "Gemma is provided under and subject to the Gemma Terms of Use: https://ai.google.dev/gemma/terms"

REACH_S = 5.0  # to find out whether the hub is there at all, name look-up and redirects included
READ_S = 30.0  # without a single byte, in the middle of the file
FRUITLESS_TRIES = 3  # connections in a row that bring nothing new
PIECE = 1 << 20
SPARE = 64 << 20  # bytes to leave free on the disk

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of a repository on the hub."""

    label: str
    repository: str
    file: str
    size: str  # about, for people


# Conversions by llama.cpp's own makers, which the hub gives out without a login.
GEMMA_1B = Weights("Gemma 3 1B", "ggml-org/gemma-3-1b-it-GGUF", "gemma-3-1b-it-Q4_K_M.gguf", "0.8 GB")
GEMMA_270M = Weights("Gemma 3 270M", "ggml-org/gemma-3-270m-it-GGUF", "gemma-3-270m-it-Q8_0.gguf", "0.3 GB")


class WeightsUnavailable(ModelError):
    """The weights could not be had. The message says why and what to do, to whoever runs the program."""

    code = "weights_unavailable"


@dataclass(frozen=True, slots=True)
class Announced:
    """What the hub says about the file."""

    url: str
    sha256: str  # "" where it announces none
    size: int  # bytes; 0 where it does not say


def cached(weights: Weights, folder: Path) -> Path | None:
    """The file, if it is there whole. One that was put there by hand, without a record, is taken as it is."""
    path, record = folder / weights.file, _record(folder / weights.file)
    if not path.is_file():
        return None
    if record and record.get("size") != path.stat().st_size:
        return None
    return path


def fetch(
    weights: Weights, folder: Path, *, hub: str = HUB, say: Callable[[str], None] = print, progress: bool = True
) -> Path:
    """The file's path, after fetching it if it is not there yet; raises WeightsUnavailable.

    Blocks, for minutes perhaps. A download that breaks off is resumed, also by the next call. `say` gets what people
    should read; the bar goes to standard error.
    """
    if path := cached(weights, folder):
        return path
    url = f"{hub.rstrip('/')}/{weights.repository}/resolve/main/{weights.file}"
    announced = _in_time(lambda: _announced(url), url)
    say(f"Fetching {weights.label} ({weights.size}) from {urlsplit(hub).netloc}, once. {TERMS}")
    target, part = folder / weights.file, folder / f"{weights.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_other_part(part, announced)
        _enough_room(part, announced)
        _download(part, announced, weights.label, progress)
        sha256 = _check(part, announced)
        fetched = {"url": url, "sha256": sha256, "announced": bool(announced.sha256), "size": part.stat().st_size}
        _record_of(target).write_text(json.dumps(fetched | {"fetched_at": int(time.time())}, indent=1))
        part.replace(target)
        _record_of(part).unlink(missing_ok=True)
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            part.unlink(missing_ok=True)  # a full disk harms more than this download
        raise WeightsUnavailable(f"{target} cannot be written: {exc.strerror or exc}.") from exc
    return target


def _in_time(look: Callable[[], Announced], url: str) -> Announced:
    """Look in a thread: neither a slow name server nor many dead addresses may hold anybody up for longer."""
    found: list[Announced | Exception] = []

    def run() -> None:
        try:
            found.append(look())
        except Exception as exc:
            found.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(REACH_S)
    match found:
        case [Announced() as announced]:
            return announced
        case [WeightsUnavailable() as exc]:
            raise exc
        case [Exception() as exc]:
            raise WeightsUnavailable(f"{urlsplit(url).netloc} cannot be reached ({type(exc).__name__}).") from exc
        case _:
            raise WeightsUnavailable(f"{urlsplit(url).netloc} cannot be reached within {REACH_S:g} s.")


def _announced(url: str) -> Announced:
    """Ask the hub itself, not the file store that it redirects to: only the hub names the file's hash."""
    asked = url
    for _ in range(3):
        response = requests.head(asked, allow_redirects=False, timeout=REACH_S, headers={"Accept-Encoding": "identity"})
        away = response.headers.get("Location", "")
        moved = response.is_redirect and "X-Linked-ETag" not in response.headers
        if not moved or urlsplit(urljoin(asked, away)).netloc != urlsplit(url).netloc:
            break
        asked = urljoin(asked, away)  # the repository has another name now
    if response.status_code in (401, 403):
        raise WeightsUnavailable(f"{url} needs a login. Fetch the file yourself and put it where it is looked for.")
    if response.status_code == 404:
        raise WeightsUnavailable(f"{url} does not exist.")
    if response.status_code >= 400:
        raise WeightsUnavailable(f"{url} answers with HTTP {response.status_code}. Try again later.")
    etag = (response.headers.get("X-Linked-ETag") or response.headers.get("ETag") or "").removeprefix("W/").strip('"')
    told = response.headers.get("X-Linked-Size")
    if told is None and not response.is_redirect:
        told = response.headers.get("Content-Length")
    return Announced(asked, etag if SHA256.fullmatch(etag) else "", int(told or 0))


def _forget_other_part(part: Path, announced: Announced) -> None:
    """A part of another version of the file cannot be gone on with."""
    if _record(part) != asdict(announced):
        part.unlink(missing_ok=True)
        _record_of(part).write_text(json.dumps(asdict(announced)))


def _enough_room(part: Path, announced: Announced) -> None:
    missing = announced.size - _size(part) + SPARE
    free = shutil.disk_usage(part.parent).free
    if announced.size and free < missing:
        raise WeightsUnavailable(
            f"{part.parent} has {free / 1e9:.1f} GB free, and the weights need {missing / 1e9:.1f} GB more."
        )


def _download(part: Path, announced: Announced, label: str, progress: bool) -> None:
    """Fetch until the part is whole, going on where a connection breaks; the part is kept whatever happens."""
    fruitless = 0
    with tqdm(
        total=announced.size or None, initial=_size(part), desc=label, unit="B", unit_scale=True, disable=not progress
    ) as bar:
        while True:
            before = _size(part)
            try:
                whole = _fetch_rest(part, announced, bar)
            except requests.RequestException as exc:
                whole, problem = False, type(exc).__name__
            else:
                problem = "it ended early"
            if whole:
                return
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless == FRUITLESS_TRIES:
                raise WeightsUnavailable(
                    f"The download of {label} broke off at {_size(part) / 1e6:.0f} MB ({problem}). "
                    "What came is kept: start again to go on from there."
                )


def _fetch_rest(part: Path, announced: Announced, bar: Any) -> bool:
    """One connection's worth; whether the file is whole now."""
    start = _size(part)
    if announced.size and start >= announced.size:
        return True
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(announced.url, headers=headers, stream=True, timeout=(REACH_S, READ_S)) as response:
        response.raise_for_status()
        goes_on = response.status_code == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {start}-"
        )
        if start and not goes_on:
            bar.reset()
        with part.open("ab" if goes_on else "wb") as file:
            for piece in response.iter_content(PIECE):
                file.write(piece)
                bar.update(len(piece))
    return not announced.size or part.stat().st_size >= announced.size


def _check(part: Path, announced: Announced) -> str:
    """The part's own hash; removes it and raises where it is not what the hub announced."""
    with part.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = part.stat().st_size
    if (announced.size and size != announced.size) or (announced.sha256 and sha256 != announced.sha256):
        part.unlink()
        raise WeightsUnavailable(
            f"What {urlsplit(announced.url).netloc} sent is not the file that it announced: {size} bytes with sha256 "
            f"{sha256}, not {announced.size} with {announced.sha256 or 'an unknown one'}. It was deleted; try again."
        )
    return sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _record_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(_record_of(path).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
