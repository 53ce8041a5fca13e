"""A bot under load in, where its processor time goes out: `python -m bench.profile`."""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

from bench.load import Step, figures, measured_run
from bench.subjects import Subject, log_of, serving_at, slack, standin
from bench.turns import RESULTS
from tests.doubles.workspace import JSON


async def profiled(folder: Path, step: Step) -> JSON:
    """The shares of each part, and what a turn cost while it was looked at."""
    log = folder / "sampled.log"
    async with (
        standin() as url,
        log_of(url) as model,
        slack(folder) as workspace,
        serving_at(workspace, log, url, {}, module="bench.sampled") as (process, ready_s),
    ):
        subject = Subject("sampled", workspace, process, ready_s)
        run = await measured_run(subject, model, step, f"t{step.threads}")
    (last,) = (json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith('{"sampled"'))
    counts = last["sampled"]
    total = sum(counts.values())
    shares = {part: round(count / total, 3) for part, count in sorted(counts.items(), key=lambda each: -each[1])}
    return {"threads": step.threads, "samples": total, "shares": shares, "cpu_ms": figures([run])["cpu_ms"]}


def main() -> None:
    """Look, print, write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where a turn's time goes.")
    parser.add_argument("--threads", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tandem-profile-") as folder:
        found = asyncio.run(profiled(Path(folder), Step(options.threads, options.seconds)))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "profile.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(f"{found['cpu_ms']} ms of processor time a turn, at {found['threads']} threads, {found['samples']} samples")
    for part, share in found["shares"].items():
        print(f"{share:6.1%}  {part}")


if __name__ == "__main__":
    main()
