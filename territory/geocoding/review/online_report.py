"""What a run of online geocoders did, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS = ("found", "none", "several", "unanswered")


@dataclass(frozen=True)
class GeocodeReport:
    """What a run did.

    Of ``rows`` of the kind ``waiting`` could be placed better; they have ``addresses`` different
    addresses about which a provider is still to be asked. ``asked`` of those were asked about, with
    ``requests`` of at most ``budget``; ``answers`` counts how they ended: found, none, several and
    unanswered. ``bettered`` rows have a better place now, ``conflicts`` were contradicted,
    ``pending`` wait for a provider that failed; ``left`` addresses are to be asked about again or
    still. ``errors`` has a sentence for each provider that failed.
    """

    kind: str
    by: str
    providers: tuple[str, ...]
    rows: int
    waiting: int
    addresses: int
    budget: int
    asked: int = 0
    requests: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    bettered: int = 0
    conflicts: int = 0
    pending: int = 0
    left: int = 0
    errors: tuple[str, ...] = ()
    is_dry_run: bool = False

    @property
    def sentence(self) -> str:
        """The report in a line or two."""
        told = (
            f"{self.kind}: {self.waiting:,} of {self.rows:,} rows could be placed better, "
            f"{self.addresses:,} addresses are to be asked about"
        )
        if self.is_dry_run:
            most = min(self.addresses, self.budget)
            named = ", then ".join(self.providers)
            return f"{told}; a run would ask {named} about {most:,} of them. Nobody was asked."
        ended = ", ".join(f"{number:,} {name}" for name, number in self.answers.items())
        told = (
            f"{told}. Asked about {self.asked:,} of {self.addresses:,} with {self.requests:,} of "
            f"at most {self.budget:,} requests: {ended}. {self.bettered:,} rows placed better, "
            f"{self.conflicts:,} contradicted, {self.pending:,} pending."
        )
        left = f" Left: {self.left:,} of {self.addresses:,} addresses; run it again."
        again = left if self.left else ""
        return " ".join([told + again, *self.errors])

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            "kind": self.kind,
            "by": self.by,
            "providers": list(self.providers),
            "rows": self.rows,
            "waiting": self.waiting,
            "addresses": self.addresses,
            "asked": self.asked,
            "requests": self.requests,
            "budget": self.budget,
            **{name: self.answers.get(name, 0) for name in ANSWERS},
            "bettered": self.bettered,
            "conflicts": self.conflicts,
            "pending": self.pending,
            "left": self.left,
            "errors": list(self.errors),
            "dry_run": self.is_dry_run,
        }
