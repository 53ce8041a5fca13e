"""How the embedded model's weights are fetched from a hub that breaks off, lies, or is not there."""

import errno
import hashlib
import json
import socket
import time
from collections import namedtuple
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.llm.local import weights as module
from bot.llm.local.weights import TERMS, Weights, WeightsUnavailable, cached
from tests.doubles.hub import Hub, hub

TINY = Weights("Tiny Gemma", "someone/tiny-gguf", "tiny.gguf", "3 MB")
CONTENT = bytes(range(256)) * 12_000
fetch = partial(module.fetch, TINY, say=lambda _: None, progress=False)


@pytest.fixture
def source() -> Iterator[Hub]:
    with hub(CONTENT) as running:
        yield running


def test_weights_are_fetched_checked_and_recorded(source: Hub, tmp_path: Path) -> None:
    said: list[str] = []

    path = fetch(tmp_path / "new", hub=source.url, say=said.append)

    record = json.loads((tmp_path / "new" / "tiny.gguf.json").read_text())
    assert path.read_bytes() == CONTENT
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest() and record["announced"]
    assert record["url"] == f"{source.url}/someone/tiny-gguf/resolve/main/tiny.gguf"
    assert len(said) == 1 and TERMS in said[0]
    assert sorted(file.name for file in path.parent.iterdir()) == ["tiny.gguf", "tiny.gguf.json"]


def test_what_is_there_is_not_fetched_again(source: Hub, tmp_path: Path) -> None:
    fetch(tmp_path, hub=source.url)
    source.asked.clear()

    fetch(tmp_path, hub=source.url)

    assert source.asked == []


def test_a_file_put_there_by_hand_is_used(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"mine")

    assert fetch(tmp_path, hub="http://127.0.0.1:1") == tmp_path / "tiny.gguf"


def test_a_file_that_lost_its_end_is_fetched_again(source: Hub, tmp_path: Path) -> None:
    fetch(tmp_path, hub=source.url).write_bytes(CONTENT[:100])

    assert cached(TINY, tmp_path) is None
    assert fetch(tmp_path, hub=source.url).read_bytes() == CONTENT


def test_a_download_that_breaks_off_goes_on_where_it_was(source: Hub, tmp_path: Path) -> None:
    source.cuts_after = [1_100_000, 1_100_000]

    assert fetch(tmp_path, hub=source.url).read_bytes() == CONTENT
    downloads = [line for line in source.asked if line.startswith("GET /bytes")]
    assert downloads == ["GET /bytes", "GET /bytes bytes=1048576-", "GET /bytes bytes=2097152-"]


def test_a_download_that_was_given_up_goes_on_with_the_next_call(source: Hub, tmp_path: Path) -> None:
    source.cuts_after = [1_100_000, 0, 0, 0]
    with pytest.raises(WeightsUnavailable, match=r"broke off at 1 MB.*start again"):
        fetch(tmp_path, hub=source.url)
    source.asked.clear()

    assert fetch(tmp_path, hub=source.url).read_bytes() == CONTENT
    assert any("bytes=" in line for line in source.asked)


def test_a_hub_that_takes_no_ranges_is_fetched_from_the_start(source: Hub, tmp_path: Path) -> None:
    source.takes_ranges = False
    source.cuts_after = [1_100_000]

    assert fetch(tmp_path, hub=source.url).read_bytes() == CONTENT


def test_a_part_of_another_version_is_thrown_away(source: Hub, tmp_path: Path) -> None:
    source.cuts_after = [1_100_000, 0, 0, 0]
    with pytest.raises(WeightsUnavailable):
        fetch(tmp_path, hub=source.url)
    source.content = CONTENT[::-1]

    assert fetch(tmp_path, hub=source.url).read_bytes() == CONTENT[::-1]


def test_a_file_with_another_hash_than_announced_is_thrown_away(source: Hub, tmp_path: Path) -> None:
    source.sha256 = "0" * 64

    with pytest.raises(WeightsUnavailable, match="not the file that it announced"):
        fetch(tmp_path, hub=source.url)

    assert not (tmp_path / "tiny.gguf").exists() and not (tmp_path / "tiny.gguf.part").exists()


def test_a_hub_that_announces_no_hash_leaves_the_files_own_on_record(source: Hub, tmp_path: Path) -> None:
    source.announces = False

    fetch(tmp_path, hub=source.url)

    record = json.loads((tmp_path / "tiny.gguf.json").read_text())
    assert record["announced"] is False and record["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("status", "words"), [(401, "login"), (403, "login"), (404, "not exist"), (503, "HTTP 503")])
def test_a_refusal_says_what_to_do(source: Hub, tmp_path: Path, status: int, words: str) -> None:
    source.status = status

    with pytest.raises(WeightsUnavailable, match=words):
        fetch(tmp_path, hub=source.url)


def test_a_hub_that_refuses_connections_is_noticed_at_once(tmp_path: Path, unused_tcp_port: int) -> None:
    start = time.monotonic()

    with pytest.raises(WeightsUnavailable, match="cannot be reached"):
        fetch(tmp_path, hub=f"http://127.0.0.1:{unused_tcp_port}")

    assert time.monotonic() - start < module.REACH_S


def test_a_hub_that_never_answers_is_noticed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bearable_s = module.REACH_S
    monkeypatch.setattr(module, "REACH_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()

        with pytest.raises(WeightsUnavailable, match="cannot be reached"):
            fetch(tmp_path, hub=f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert time.monotonic() - start < bearable_s


def test_a_disk_without_room_is_noticed_before_the_download(
    source: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9, 1000))

    with pytest.raises(WeightsUnavailable, match=r"0\.0 GB free.*0\.1 GB more"):
        fetch(tmp_path, hub=source.url)

    assert not any(line.startswith("GET") for line in source.asked)


def test_a_disk_that_fills_up_gets_its_room_back(source: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bool:
        (tmp_path / "tiny.gguf.part").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_fetch_rest", full)

    with pytest.raises(WeightsUnavailable, match="No space left"):
        fetch(tmp_path, hub=source.url)

    assert not (tmp_path / "tiny.gguf.part").exists()


def test_a_folder_that_cannot_be_written_is_named(source: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WeightsUnavailable, match="cannot be written"):
        fetch(tmp_path / "file" / "below", hub=source.url)
