"""Names of Google's resources in, their arguments and blocks out: read from a package that was made from the provider.

`cdktn-provider-google` is generated from the real provider's schema, a class for each block. Above each of a class's
fields stands whether it is required, optional or computed; its getter, or its own class, says of what type it is. The
package is read as text, never run.
"""

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

PACKAGE = "cdktn-provider-google"

Named = tuple[str, str]  # "resource" or "data", and its type's name
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


def used(folder: Path) -> frozenset[Named]:
    """Everything that a folder's configuration asks the Google provider for."""
    text = "\n".join(path.read_text("utf-8") for path in folder.glob("*.tf"))
    return frozenset(re.findall(r'^(resource|data) "(google_\w+)"', text, re.MULTILINE))


def schemas(types: frozenset[Named]) -> dict[Named, Block]:
    """What each takes; one that the provider does not know is left out."""
    sources = _sources(types)
    return {type_: _top(sources[type_, ".js"]) for type_ in types if (type_, ".js") in sources}


def words(types: frozenset[Named]) -> dict[tuple[str, str], set[str]]:
    """By names of a resource and of an argument, wherever in it that stands: all that it may be, where documented."""
    documented: dict[tuple[str, str], set[str]] = {}
    for text in _sources(types).values():
        for values, resource, argument in WORDS.findall(text):
            documented.setdefault((f"google_{resource}", argument), set()).update(re.findall(r'"([^"]*)"', values))
    return documented


@cache
def _sources(types: frozenset[Named]) -> dict[tuple[Named, str], str]:
    """The code (.js) and the documentation (.ts) of each; the package is large, so it is read once."""
    folders = {_folder(*type_): type_ for type_ in types}
    found: dict[tuple[Named, str], str] = {}
    with tarfile.open(_archive(), "r|gz") as archive:
        for member in archive:
            path = Path(member.name)  # package/lib/FOLDER/…/NAME.js
            type_ = folders.get(path.parts[2]) if len(path.parts) > 3 else None
            if type_ and path.suffix in (".js", ".ts"):
                file = archive.extractfile(member)
                key = type_, path.suffix
                found[key] = found.get(key, "") + (file.read().decode() if file else "")
    return found


def _folder(kind: str, name: str) -> str:
    return name.replace("google_", "data-google-" if kind == "data" else "", 1).replace("_", "-")


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
