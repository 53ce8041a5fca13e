"""The bot's image, built as its Dockerfile says and started as a container, as far as that goes without an engine."""

import asyncio
import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles.in_process import ADA, DM, InProcess
from tests.doubles.tandem import Tandem
from tests.doubles.workspace import APP_TOKEN, BOT_TOKEN
from tests.e2e.conftest import free_port
from tests.infra.image import ROOT, Stage, build, contained, in_context, instructions, python_like
from tests.repo.test_requirements import locked

pytestmark = pytest.mark.infra

DOCKERFILES = sorted(path for path in ROOT.glob("**/Dockerfile") if not {".venv", "node_modules"} & set(path.parts))


@dataclass(frozen=True)
class Image:
    """The last stage, and the Python that stands for its base's."""

    stage: Stage
    python: Path


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Once for all tests: it installs what a container would hold."""
    python = python_like(next(text for keyword, text in instructions(ROOT / "Dockerfile") if keyword == "FROM"))
    stage = build(ROOT / "Dockerfile", ROOT, tmp_path_factory.mktemp("image"), python)
    return Image(stage, python)


TRIES = """
import os
for path in ("/x", "/app/x", "/app/bot/x", "/run/secrets/x", "/usr/lib/x", "/tmp/x"):
    try:
        open(path, "w").close()
        print(path)
    except OSError as error:
        assert error.errno == 30, error
print(os.getcwd(), os.listdir("/home") if os.path.exists("/home") else "", os.path.exists("/bin/sh"))
"""


def need_namespaces() -> None:
    """Skip, or fail in CI, where no root can be made for the image."""
    reason = ""
    if missing := [tool for tool in ("unshare", "setpriv") if shutil.which(tool) is None]:
        reason = f"there is no {missing[0]} here"
    elif subprocess.run(["unshare", "--mount", *([] if os.getuid() == 0 else ["-r"]), "true"]).returncode:
        reason = "this machine lets nobody make namespaces"
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"{reason}: the image's root cannot be made")
    if reason:
        pytest.skip(f"{reason}: the image's root cannot be made")


@asynccontextmanager
async def started(
    image: Image, path: Path, mounts: Mapping[str, Path], settings: Mapping[str, str]
) -> AsyncIterator[Tandem]:
    """The image's own command in its read-only root; ended by its process id."""
    need_namespaces()
    stage = image.stage
    command = [str(image.python), *stage.entrypoint[1:], *stage.command]
    words = contained(stage, image.python, path, mounts)
    log = path / "log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            *command,
            env={"PATH": os.environ["PATH"], "HOME": "/home/nonroot", **stage.env, **settings},
            stdout=output,
            stderr=output,
        )
    tandem = Tandem(process, f"http://127.0.0.1:{settings['PORT']}", log)
    try:
        yield tandem
    finally:
        await tandem.stop()


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


def test_the_image_holds_the_bot_its_packages_and_nothing_else(image: Image) -> None:
    app = image.stage.at("/app")
    ours = {name for name in files(app) if not name.startswith("lib/")}
    sources = {path.as_posix() for path in in_context(ROOT) if path.parts[0] == "bot"}

    assert {path.name for path in image.stage.root.iterdir()} == {"app"}
    assert {name for name in ours if "__pycache__" not in name} == {
        *sources,
        *("LICENSE", "manifest.yaml", "sbom.cdx.json"),
    }
    assert not {"pip", "setuptools", "pytest", "playground", "tests", "bin"} & {path.name for path in app.glob("lib/*")}


def test_the_context_of_a_build_holds_no_secret_and_no_test() -> None:
    tops = {path.parts[0] for path in in_context(ROOT)}

    assert tops == {"LICENSE", "bot", "manifest.yaml", "requirements", "scripts"}


def test_everything_is_compiled_and_no_compiled_file_looks_at_its_source(image: Image) -> None:
    app = image.stage.at("/app")
    compiled = list(app.rglob("__pycache__/*.pyc"))

    assert len(compiled) > len(list(app.glob("bot/**/*.py")))
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}  # PEP 552: by hash, unchecked


def test_the_bill_of_materials_names_every_package_that_is_installed_and_locked(image: Image) -> None:
    bill = json.loads(image.stage.at("/app/sbom.cdx.json").read_text("utf-8"))
    named = {f"{entry['name']}=={entry['version']}" for entry in bill["components"]}
    installed = list(image.stage.at("/app/lib").glob("*.dist-info"))
    lock = {entry.split()[0] for entry in locked(ROOT / "requirements/run.txt").values()}

    assert len(named) == len(installed)
    assert named <= lock
    assert all(entry["purl"].startswith("pkg:pypi/") for entry in bill["components"])


def test_what_we_put_on_the_base_stays_small(image: Image) -> None:
    size = sum(path.lstat().st_size for path in image.stage.root.rglob("*") if path.is_file())

    assert size < 130_000_000


def test_nothing_can_be_written_by_the_images_user_or_run_with_more_rights(image: Image) -> None:
    modes = {path: path.lstat().st_mode for path in image.stage.root.rglob("*") if not path.is_symlink()}

    assert not [path for path, mode in modes.items() if mode & (stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID)]
    assert not [path for path, mode in modes.items() if not mode & stat.S_IROTH]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_base_has_a_registry_and_a_version_and_a_user_without_rights_is_last(dockerfile: Path) -> None:
    steps = instructions(dockerfile)
    bases = [text.partition(" AS ")[0] for keyword, text in steps if keyword == "FROM"]

    assert bases
    for base in bases:
        assert re.fullmatch(r"[a-z0-9.]+\.[a-z]+(/[a-z0-9_.-]+)+:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?", base), base
    users = [text for keyword, text in steps if keyword == "USER"]
    assert users[-1] == "65532:65532"
    assert not [text for keyword, text in steps if keyword in ("ADD", "ARG", "HEALTHCHECK", "VOLUME")]


def test_the_image_says_how_it_is_started_without_a_shell(image: Image) -> None:
    assert image.stage.entrypoint == ["/usr/bin/python3", "-m", "bot"]
    assert image.stage.command == ["serve"]


def test_the_root_that_the_tests_below_make_is_read_only_and_bare(image: Image, tmp_path: Path) -> None:
    need_namespaces()
    (tmp_path / "secrets").mkdir()
    words = contained(image.stage, image.python, tmp_path / "run", {"/run/secrets": tmp_path / "secrets"})
    done = subprocess.run([*words, str(image.python), "-c", TRIES], capture_output=True, text=True)

    assert done.stdout.split("\n") == ["/tmp/x", "/app  False", ""], done.stderr


@pytest.mark.timeout(90)
async def test_the_bot_answers_from_a_read_only_root_as_the_images_user(image: Image, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    for name, token in (("bot", BOT_TOKEN), ("app", APP_TOKEN)):
        (secrets / name).mkdir(parents=True)
        (secrets / name / "value").write_text(token)
    async with InProcess() as slack:
        settings = {
            "SLACK_BOT_TOKEN_FILE": "/run/secrets/tandem/bot/value",
            "SLACK_APP_TOKEN_FILE": "/run/secrets/tandem/app/value",
            "SLACK_API_URL": slack.api_url,
            "PORT": str(free_port()),
            "TANDEM_DEFAULT_MODEL": "demo",
            "TANDEM_STORE": "sqlite:////tmp/tandem.db",
        }
        async with started(image, tmp_path / "run", {"/run/secrets/tandem": secrets}, settings) as tandem:
            await tandem.ready()
            status = await asyncio.to_thread(Path(f"/proc/{tandem.process.pid}/status").read_text)
            ts = await slack.say(ADA, DM, "hello")
            (answer,) = await slack.reply(DM, ts, ts)
            ended = await tandem.stop()

    assert answer["user"] == "U0BOT"
    assert ended == 0
    if os.getuid() == 0:
        assert re.search(r"^Uid:\t65532\t65532\t65532\t65532$", status, re.M)
    assert re.search(r"^CapEff:\t0+$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)
    assert {path.name.partition("-")[0] for path in (tmp_path / "run/tmp").iterdir()} == {"tandem.db"}
    assert not [line for line in tandem.log if line.get("severity", line.get("level")) in ("ERROR", "WARNING")]


async def test_a_secret_that_is_not_there_ends_the_bot_with_its_name(image: Image, tmp_path: Path) -> None:
    settings = {
        "SLACK_BOT_TOKEN_FILE": "/run/secrets/tandem/bot/value",
        "PORT": str(free_port()),
        "GEMMA_URL": "http://gemma:8000",
    }
    async with started(image, tmp_path / "run", {}, settings) as tandem:
        ended = await asyncio.wait_for(tandem.process.wait(), 20)
        said = str(tandem.log)

    assert ended == 2
    assert "SLACK_BOT_TOKEN_FILE names /run/secrets/tandem/bot/value, which cannot be read" in said
    assert "SLACK_APP_TOKEN is missing" in said
