"""How many people in, a workspace full of them out: everybody with a direct message of their own, and five channels."""

from pathlib import Path

import yaml

CHANNELS = 5


def person(number: int) -> str:
    """A user's id; people are counted from 0."""
    return f"U0P{number:05}"


def direct(number: int) -> str:
    """The direct message between that person and the app."""
    return f"D0P{number:05}"


def channel(number: int) -> str:
    """A channel that everybody is in; there are five, and numbers go round."""
    return f"C0CHANNEL{number % CHANNELS}"


def write_town(folder: Path, people: int) -> Path:
    """The file that `python -m playground --workspace` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "town.yaml"
    users = [{"id": person(n), "name": f"p{n}", "display_name": f"Person {n}"} for n in range(people)]
    users.append({"id": "U0ADA", "name": "ada", "display_name": "Ada"})  # whom the tests' client asks as
    members = [*(user["id"] for user in users), "U0BOT"]
    town = {
        "team": {"id": "T0TANDEM", "name": "Tandem", "domain": "tandem"},
        "app": {"id": "A0TANDEM", "user": "U0BOT", "bot": "B0BOT", "name": "Tandem"},
        "users": users,
        "channels": [{"id": channel(n), "name": f"channel-{n}", "members": members} for n in range(CHANNELS)],
    }
    path.write_text(yaml.safe_dump(town), "utf-8")
    return path
