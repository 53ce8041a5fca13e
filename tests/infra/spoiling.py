"""A copy of terraform/ in, plans of it with one mistake out; the mistake is taken back afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from tests.infra.provider.terraform import Plan, Terraform


class SpoilableTerraform:
    """Terraform in a copy of the configuration."""

    def __init__(self, terraform: Terraform) -> None:
        self._terraform = terraform

    @contextmanager
    def spoilt(self, file: str, old: str, new: str) -> Iterator[Callable[[str], Plan]]:
        """What would be made with that change, by hostname."""
        path = self._terraform.folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file} holds {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new))
        try:
            yield self.planned()
        finally:
            path.write_text(text)

    def planned(self) -> Callable[[str], Plan]:
        """What would be made, by hostname; each plan is made once."""
        return cache(lambda hostname: self._terraform.plan(hostname=hostname))

    def refuses(self, command: str) -> bool:
        """Whether `terraform validate`, or `terraform test`, says no."""
        return self._terraform(command).returncode != 0
