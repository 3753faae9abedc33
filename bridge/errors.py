"""Errors, each named for the reader's next step. Libraries' own errors are translated at the wire.

BridgeError
├── Misconfigured          mend the configuration; holds every fault found, a line each
├── CommandError           a device asked for what it cannot have
│   ├── BadRequest         mend the command
│   ├── UnknownOperation   ask for another
│   ├── NotGranted         let the owner of the bridge grant it
│   ├── Expired            it came too late
│   ├── WasRetained        send it without the retain flag
│   └── TooMany            wait `retry_after`
└── SourceError            something between us and a provider
    ├── Unreachable        try again later: no connection, a 5xx, a page of HTML
    │   ├── TimedOut       likewise, after waiting
    │   └── Failed         likewise, but the provider did answer: it failed at this, and may do well at other things
    ├── Malformed          report it: the provider answered what we cannot read
    ├── Unauthenticated    mend the credentials
    │   └── NotSignedIn    let a person sign in: `kwh2mqtt login SOURCE`
    ├── Denied             the credentials are good and do not reach this: do without, or use others
    ├── RateLimited        wait `retry_after`: the provider said so
    │   └── BudgetSpent    wait `retry_after`: our own budget said so, nothing was sent
    ├── NotFound           the thing asked for is not there
    ├── Refused            the provider said no, with its `reasons`
    ├── OutcomeUnknown     look yourself: a write was sent and no answer came, so it may or may not be done
    └── Incomplete         the provider knows no more yet

`code` is what devices see, in `{source}/health` and in answers to commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


class BridgeError(Exception):
    """Anything that this program raises on purpose; its text is fit for a user's eyes."""

    code: ClassVar[str] = "internal"


@dataclass(frozen=True)
class Fault:
    """One thing wrong in the configuration: where, what, and how to mend it."""

    key: str
    problem: str
    mend: str
    file: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.file and self.key else self.file or self.key
        return " ".join(f"{place}: {self.problem}; {self.mend}".split())  # one line, whatever the key


class Misconfigured(BridgeError):
    """The configuration cannot be used; `faults` says why, and none of them shows a secret's value."""

    code = "bad_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class CommandError(BridgeError):
    """A command that is not carried out, through no fault of a provider's."""

    code = "bad_request"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadRequest(CommandError):
    """The command cannot be read, or asks for what makes no sense."""


class UnknownOperation(CommandError):
    """There is no such source or operation."""

    code = "unknown_operation"


class NotGranted(CommandError):
    """The client may not do this."""

    code = "not_allowed"


class Expired(CommandError):
    """The command came after its end."""

    code = "expired"


class WasRetained(CommandError):
    """The command was retained: it may be older than anybody knows."""

    code = "retained"


class TooMany(CommandError):
    """The client asks too often; `retry_after` is to be waited in full."""

    code = "rate_limited"


class SourceError(BridgeError):
    """A provider could not be asked or did not give what was asked for."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: timedelta | None = None, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reasons = tuple(reasons)


class Unreachable(SourceError):
    """No usable answer came: try again later."""


class TimedOut(Unreachable):
    """No answer came in time."""

    code = "timeout"


class Failed(Unreachable):
    """The provider answered that it failed, for a reason that nobody knows."""


class Malformed(SourceError):
    """An answer came that cannot be read."""


class Unauthenticated(SourceError):
    """The credentials were not accepted; asking again with the same ones is no use."""

    code = "unauthenticated"


class NotSignedIn(Unauthenticated):
    """There is no token, and only a person can bring one; asking costs nothing meanwhile, as nothing is sent."""


class Denied(SourceError):
    """The credentials were accepted, but may not do this."""

    code = "not_allowed"


class RateLimited(SourceError):
    """Too many requests; `retry_after` is to be waited in full."""

    code = "rate_limited"


class BudgetSpent(RateLimited):
    """The source's own request budget is used up; nothing was sent."""


class NotFound(SourceError):
    """The provider knows no such thing."""

    code = "not_found"


class Refused(SourceError):
    """The provider understood and said no; `reasons` are its own words."""

    code = "refused"


class OutcomeUnknown(SourceError):
    """A write was sent, and nobody knows what became of it; it is not sent again."""

    code = "outcome_unknown"


class Incomplete(SourceError):
    """The provider answered, with less than is wanted by now."""


def codes() -> list[str]:
    """Return every code that a command may be answered with, in alphabetical order."""
    found, kinds = {BridgeError.code}, list[type[BridgeError]]([CommandError, SourceError])
    while kinds:
        kind = kinds.pop()
        found.add(kind.code)
        kinds += kind.__subclasses__()
    return sorted(found)
