"""What was found out of one thing: whether it is well, and the mend where it is not."""

from collections.abc import Iterable
from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line. What it warns of works all the same."""

    verdict: Literal["ok", "warn", "fault"]
    key: str  # of the configuration, or what it is about
    text: str

    def __str__(self) -> str:
        return f"{self.verdict:<6} {self.key}: {self.text}"


def well(findings: Iterable[Finding]) -> bool:
    return all(finding.verdict != "fault" for finding in findings)
