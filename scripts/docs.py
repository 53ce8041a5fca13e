"""The code in, the generated parts of README.md and docs/ out: `python scripts/docs.py --write`, or `--check`.

A generated part stands between `<!-- NAME: made by make docs -->` and `<!-- end of NAME -->`.
"""

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bot.config import variables  # noqa: E402  the checkout's own, installed or not
from bot.telemetry.names import METRICS  # noqa: E402

PARTS = {
    "README.md": ("settings",),
    "docs/architecture.md": ("map", "errors"),
    "docs/operations.md": ("metrics",),
}


def main(argv: list[str] | None = None) -> int:
    """Write what is stale, or name it; 1 when `--check` found some."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail when a part is not what the code says")
    mode.add_argument("--write", action="store_true", help="renew every part")
    writes = parser.parse_args(argv).write
    stale = [path for path in PARTS if renewed(path) != (ROOT / path).read_text("utf-8")]
    for path in stale:
        if writes:
            (ROOT / path).write_text(renewed(path), "utf-8")
        print(f"{path} {'renewed' if writes else 'is not what the code says: run `make docs`'}")
    return int(bool(stale) and not writes)


def renewed(path: str) -> str:
    """A document's text with its generated parts as they should be."""
    text = (ROOT / path).read_text("utf-8")
    for name in PARTS[path]:
        first, last = f"<!-- {name}: made by make docs -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(first)
        _, closed, after = rest.partition(last)
        if not (found and closed):
            raise SystemExit(f"{path} has no part named {name}: it needs the lines\n{first}\n{last}")
        text = f"{before}{first}\n{MAKERS[name]()}\n{last}{after}"
    return text


def settings_table() -> str:
    """Every setting: its variable, its default, what it does."""
    rows = ["| Variable | Default | What it does |", "|---|---|---|"]
    for name, field in variables().items():
        default = field.default
        plain = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        shown = "" if plain in (None, "", ()) else f"`{str(plain).lower() if isinstance(plain, bool) else plain}`"
        rows.append(f"| `{name}` | {shown} | {field.description} |")
    return "\n".join(rows)


def metrics_table() -> str:
    """Every metric: its name with its labels, its kind, its meaning."""
    rows = ["| Metric | Kind | Meaning |", "|---|---|---|"]
    for name, metric in METRICS.items():
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        rows.append(f"| `{name}{labels}` | {metric.kind} | {metric.meaning} |")
    return "\n".join(rows)


def module_map() -> str:
    """The first docstring line of every module of the bot and the playground, as a tree."""
    lines = [line for package in ("bot", "playground") for line in _tree(ROOT / package, "")]
    return "\n".join(["```", *lines, "```"])


def error_tree() -> str:
    """The tree that bot/errors.py draws."""
    docstring = ast.get_docstring(ast.parse((ROOT / "bot/errors.py").read_text("utf-8"))) or ""
    match = re.search(r"^BotError\n(?:[│├└ ].*\n)+", docstring, re.MULTILINE)
    if match is None:
        raise SystemExit("bot/errors.py draws no tree any more")
    return f"```\n{match[0]}```"


def _tree(directory: Path, indent: str) -> Iterator[str]:
    yield _line(f"{indent}{directory.name}/", directory / "__init__.py")
    for module in sorted(directory.glob("*.py")):
        if module.name != "__init__.py":
            yield _line(f"{indent}  {module.name}", module)
    for package in sorted(path for path in directory.iterdir() if (path / "__init__.py").is_file()):
        yield from _tree(package, indent + "  ")


def _line(name: str, module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return f"{name:<28} {docstring.partition(chr(10))[0]}".rstrip()


MAKERS: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "metrics": metrics_table,
    "map": module_map,
    "errors": error_tree,
}

if __name__ == "__main__":
    sys.exit(main())
