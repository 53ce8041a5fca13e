"""The log of a real bot at its most talkative: lines as Cloud Logging reads them, without people's words."""

from datetime import datetime
from pathlib import Path

from bot.telemetry.correlation import trace_id
from tests.doubles.gemma_server import gemma_server, refuses, says
from tests.doubles.lone_bot import lone_bot
from tests.doubles.workspace import BOT_TOKEN

GENERAL, ADA, DM = "C0GENERAL", "U0ADA", "D0ADA"
SEVERITIES = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
CANARY = "canary4711"


async def test_every_line_is_an_object_that_cloud_logging_reads_and_holds_no_word_of_anybodys(tmp_path: Path) -> None:
    async with gemma_server(key="a-key") as gemma:
        gemma.script(says([f"The {CANARY} ", "sings."]), refuses(500, {"error": {"message": "dead", "code": 500}}))
        gemma.standing = says([f"Another {CANARY}."])
        settings = {"LOG_LEVEL": "DEBUG", "GOOGLE_CLOUD_PROJECT": "", "GEMMA_API_KEY": "a-key"}
        async with lone_bot(tmp_path, gemma.url, **settings) as bot:
            root = await bot.workspace.say(ADA, GENERAL, f"@Tandem how is {CANARY}?")
            await bot.answers(GENERAL, root)
            await bot.workspace.edit(ADA, GENERAL, root, f"@Tandem how was {CANARY}?")
            direct = await bot.workspace.say(ADA, DM, f"and {CANARY}?")
            await bot.answers(DM, direct)
            await bot.workspace.command(ADA, GENERAL, "/model", CANARY)
        written = (tmp_path / "bot.log").read_text("utf-8")

    assert CANARY not in written and BOT_TOKEN not in written and "a-key" not in written
    lines = bot.tandem.log
    assert {line["severity"] for line in lines} <= SEVERITIES and len(lines) > 5
    assert all(datetime.fromisoformat(line["time"]).tzinfo and line["message"] for line in lines)
    (ended,) = [line for line in lines if line["message"] == "turn ended" and line["turn"] == f"{GENERAL}:{root}"]
    assert ended["logging.googleapis.com/trace"] == trace_id(f"{GENERAL}:{root}")
