"""How long each kind of document is kept, in seconds."""

from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """What `TANDEM_RETENTION_DAYS` means for each kind of document."""

    retention_days: int = 90

    @property
    def words_s(self) -> float:
        """Threads and messages, and what is merely cached of people and channels."""
        return self.retention_days * DAY_S

    @property
    def turns_s(self) -> float:
        """Turns, claims and leases: at least a day, because Slack delivers copies for hours."""
        return max(self.words_s, DAY_S)

    @property
    def stray_s(self) -> float:
        """An edit whose message is not here: nobody could read it, nor would erasing its author find it."""
        return min(self.words_s, DAY_S)

    @property
    def choices_s(self) -> float:
        """What somebody chose, a policy above all: it must not lapse because a channel was quiet for a season."""
        return max(self.words_s, 3_650 * DAY_S)

    @property
    def signals_s(self) -> float:
        """Words to a process: one that has not read them by then is dead."""
        return 600.0
