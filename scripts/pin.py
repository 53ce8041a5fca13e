"""The images that this repository builds on in, their digests written behind their tags out.

    python scripts/pin.py            asks each image's registry and writes what is missing
    python scripts/pin.py --renew    asks for all of them again
    python scripts/pin.py --check    asks nobody; ends with 1 and names what has no digest

A digest is the hash of the manifest that the registry gave for the tag just now; nothing else is ever written.
"""

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIGEST = r"sha256:[0-9a-f]{64}"
# `FROM image:tag`
INLINE = re.compile(
    r"^(?P<before>FROM )(?P<name>[^\s:@]+(:\d+/[^\s:@]+)?):(?P<tag>[^\s:@]+)"
    rf"(@(?P<digest>{DIGEST}))?",
    re.M,
)
# an entry of a kustomization's `images`
ENTRY = re.compile(
    r"^(?P<before> +newName: )(?P<name>\S+)\n(?P<between> +newTag: )(?P<tag>\S+)\n"
    rf"( +digest: (?P<digest>{DIGEST})\n)?",
    re.M,
)
KINDS = ",".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.v2",
    )
)
TIMEOUT_S = 30


@dataclass(frozen=True)
class Use:
    """One place where an image is named."""

    file: Path
    name: str
    tag: str
    digest: str | None


class RegistryError(Exception):
    """A registry that cannot be asked, or does not know the tag."""


def main() -> int:
    """0 when everything is pinned in the end."""
    parser = argparse.ArgumentParser(description="Pin the images that this repository builds on.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if an image has no digest")
    parser.add_argument("--renew", action="store_true", help="ask for every digest again")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    root = options.root
    if not options.check:
        try:
            for file in sorted(files(root)):
                pin(file, renew=options.renew)
        except RegistryError as error:
            print(f"pin: {error}", file=sys.stderr)
            return 1
    loose = [use for file in sorted(files(root)) for use in uses(file) if use.digest is None]
    for use in loose:
        print(f"{use.file.relative_to(root)}: {use.name}:{use.tag} has no digest", file=sys.stderr)
    return 1 if loose else 0


def files(root: Path) -> Iterator[Path]:
    """Where images of others are named."""
    yield root / "Dockerfile"
    yield from (root / "deploy").rglob("Dockerfile")
    yield from (root / "k8s").rglob("kustomization.yaml")


def uses(file: Path) -> list[Use]:
    """The images that a file names."""
    text = file.read_text("utf-8")
    found = [*INLINE.finditer(text), *ENTRY.finditer(text)]
    return [Use(file, match["name"], match["tag"], match["digest"]) for match in found]


def pin(file: Path, *, renew: bool) -> None:
    """Write the digests that a file lacks, or all of them."""
    text = file.read_text("utf-8")

    def inline(match: re.Match[str]) -> str:
        digest = wanted(match["name"], match["tag"], match["digest"], renew)
        return f"{match['before']}{match['name']}:{match['tag']}@{digest}"

    def entry(match: re.Match[str]) -> str:
        digest = wanted(match["name"], match["tag"], match["digest"], renew)
        indent = match["between"].removesuffix("newTag: ")
        return f"{match['before']}{match['name']}\n{match['between']}{match['tag']}\n{indent}digest: {digest}\n"

    pinned = ENTRY.sub(entry, INLINE.sub(inline, text))
    if pinned != text:
        file.write_text(pinned, "utf-8")


def wanted(name: str, tag: str, digest: str | None, renew: bool) -> str:
    """The digest that is there, or the registry's."""
    if digest and not renew:
        return digest
    found = resolve(name, tag)
    print(f"{name}:{tag} is {found}" + (f", was {digest}" if digest and digest != found else ""))
    return found


def resolve(name: str, tag: str) -> str:
    """The digest of a tag now; raises RegistryError."""
    host, _, repository = name.partition("/")
    server = {"docker.io": "registry-1.docker.io"}.get(host, host)
    scheme = "http" if re.fullmatch(r"(localhost|127\.0\.0\.1)(:\d+)?", host) else "https"
    url = f"{scheme}://{server}/v2/{repository}/manifests/{tag}"
    try:
        try:
            body = get(url, {"Accept": KINDS})
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            challenge = error.headers.get("WWW-Authenticate", "")
            body = get(url, {"Accept": KINDS, "Authorization": f"Bearer {token(challenge)}"})
        json.loads(body)
    except (OSError, ValueError, KeyError) as error:
        raise RegistryError(f"{name}:{tag} cannot be found out at {server} ({error})") from error
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def token(challenge: str) -> str:
    """A token for reading in public, as the registry's challenge says where to get it."""
    facts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urllib.parse.urlencode({key: value for key, value in facts.items() if key in ("service", "scope")})
    answer = json.loads(get(f"{facts['realm']}?{query}", {}))
    return str(answer.get("token") or answer["access_token"])


def get(url: str, headers: dict[str, str]) -> bytes:
    """The body of an answer."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # http(s) by construction, or the registry's own word
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
        return bytes(response.read())


if __name__ == "__main__":
    sys.exit(main())
