"""A Dockerfile in, its stages' files on this machine out, and its last stage run as a container would run it.

There is no container engine here, so the instructions that our Dockerfile uses are done by hand: files are copied as
.dockerignore lets them, commands run by a Python of the host in place of the base's, and the result is started in a
root of its own that is read-only, as the image's user, by namespaces of the kernel. What this cannot show is the base
image itself: its Python, its C libraries, its certificates.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
Instruction = tuple[str, str]


def instructions(dockerfile: Path) -> list[Instruction]:
    """Keyword and arguments of each instruction."""
    text = re.sub(r"\\\n\s*", " ", dockerfile.read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines()]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line and not line.startswith("#")]


def in_context(context: Path) -> list[Path]:
    """The files that .dockerignore lets through, relative to the context. It must forbid all, allow, then except."""
    lines = [line.strip() for line in (context / ".dockerignore").read_text("utf-8").splitlines()]
    everything, *patterns = [line for line in lines if line and not line.startswith("#")]
    if everything != "*":
        raise NotImplementedError(".dockerignore does not begin with *: teach tests/infra/image.py to read the rest")
    allowed = [context / pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")]
    excepted = {pattern.removeprefix("**/") for pattern in patterns if not pattern.startswith("!")}
    found = [path for top in allowed for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file()]
    inside = [path.relative_to(context) for path in found]
    return [path for path in inside if not excepted & set(path.parts)]


@dataclass
class Stage:
    """What a stage leaves: a directory that stands for its root, and how it would be started."""

    base: str
    root: Path
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    ports: list[int] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def at(self, path: str) -> Path:
        """Where a path of the image lies on this machine."""
        return self.root / (Path(self.workdir) / path).as_posix().lstrip("/")


def build(dockerfile: Path, context: Path, into: Path, python: Path) -> Stage:
    """The last stage. Commands may use `python`, `pip` and what every base has; absolute paths are the stage's own."""
    stages: dict[str, Stage] = {}
    files = in_context(context)
    stage = Stage("", into)
    for keyword, text in instructions(dockerfile):
        match keyword:
            case "FROM":
                base, _, name = text.partition(" AS ")
                stage = stages[name] = Stage(base, into / (name or "last"))
                stage.root.mkdir(parents=True)
            case "WORKDIR":
                stage.workdir = text
                stage.at(text).mkdir(parents=True, exist_ok=True)
            case "ENV":
                stage.env |= dict(word.split("=", 1) for word in shlex.split(text))
            case "USER":
                stage.user = text
            case "EXPOSE":
                stage.ports = [int(port) for port in text.split()]
            case "ENTRYPOINT":
                stage.entrypoint = json.loads(text)
            case "CMD":
                stage.command = json.loads(text)
            case "COPY":
                _copy(stage, stages, shlex.split(text), context, files)
            case "RUN":
                _run(stage, text, python)
            case _:
                raise NotImplementedError(f"{keyword} in {dockerfile.name}: teach tests/infra/image.py what it does")
    return stage


def _copy(stage: Stage, stages: Mapping[str, Stage], words: list[str], context: Path, files: list[Path]) -> None:
    *sources, target = words
    if sources[0].startswith("--from="):
        origin, (tree,) = stages[sources[0].removeprefix("--from=")], sources[1:]
        shutil.copytree(origin.at(tree), stage.at(target), symlinks=True, dirs_exist_ok=True)
        return
    for name in sources:
        source = Path(name)
        wanted = [path for path in files if path == source or path.is_relative_to(source)]
        if not wanted:
            raise FileNotFoundError(f"COPY {source}: .dockerignore lets nothing of it through")
        for path in wanted:
            inside = path.relative_to(source) if path != source else Path(source.name)
            copy = stage.at(target) / inside
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(context / path, copy, follow_symlinks=False)


def _run(stage: Stage, text: str, python: Path) -> None:
    words = shlex.split(text)
    program = {"python": [str(python)], "pip": [str(python), "-m", "pip"]}.get(words[0], words[:1])
    arguments = [str(stage.at(word)) if word.startswith("/") else word for word in words[1:]]
    environment = {**os.environ, **stage.env, "PYTHONPATH": ""}
    done = subprocess.run(
        [*program, *arguments], cwd=stage.at("."), env=environment, capture_output=True, text=True, timeout=170
    )
    if done.returncode:
        raise RuntimeError(f"RUN {text}\n{done.stdout}{done.stderr}")


def python_like(base: str) -> Path:
    """The host's Python of the base's minor version, or the one that runs this where there is none."""
    found = re.search(r"python:(\d+\.\d+)", base)
    assert found, f"{base} is not python:MAJOR.MINOR"
    name = f"python{found[1]}"
    homes = [Path(shutil.which(name) or "/"), *Path.home().glob(f".pyenv/versions/{found[1]}*/bin/{name}")]
    for candidate in homes:
        if candidate.is_file() and not subprocess.run([candidate, "-m", "pip", "-V"], capture_output=True).returncode:
            return candidate.resolve()
    return Path(sys.executable)


def contained(stage: Stage, python: Path, into: Path, mounts: Mapping[str, Path]) -> list[str]:
    """The words before a command that run it in a root of its own: read-only but for /tmp, no shell, the stage's user.

    `mounts` are directories of the host by their path in there, read-only too. The environment is the caller's.
    """
    root, tmp = into / "root", into / "tmp"
    tmp.mkdir(parents=True)
    tmp.chmod(0o1777)
    home = Path(subprocess.check_output([python, "-c", "import sys; print(sys.base_prefix)"], text=True).strip())
    host = {path: Path(path) for path in ("/usr/lib", "/usr/lib64", "/etc/ssl", "/dev/null", "/dev/urandom")}
    host = {str(home): home} | {path: real for path, real in host.items() if real.exists()}
    host |= {f"/{top.name}": top for top in stage.root.iterdir() if top.name != "tmp"} | dict(mounts)
    steps = [f"mount --bind {root} {root}"]
    for path, real in host.items():
        there = root / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.mkdir(exist_ok=True) if real.is_dir() else there.touch()
        steps += [f"mount --bind {real} {there}", f"mount -o remount,bind,ro {there}"]
    for link in ("lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "tmp").mkdir()
    (root / "proc").mkdir()
    steps += [f"mount --rbind /proc {root}/proc", f"mount --bind {tmp} {root}/tmp", f"mount -o remount,bind,ro {root}"]
    uid, _, gid = stage.user.partition(":")
    as_root = os.getuid() == 0
    user = [f"--setgid={gid}", f"--setuid={uid}"] if as_root else ["-U", f"--map-user={uid}", f"--map-group={gid}"]
    inside = ["setpriv", "--no-new-privs", "unshare", f"--root={root}", f"--wd={stage.workdir}", *user]
    script = " && ".join([*steps, f'exec {shlex.join(inside)} "$@"'])
    return ["unshare", "--mount", *([] if as_root else ["--map-root-user"]), "sh", "-c", script, "sh"]
