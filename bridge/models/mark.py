"""Where a page of readings begins: what a client gets as a cursor, and gives back with its next question."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import NamedTuple, Self

from bridge.errors import BadRequest

BETWEEN = "\n"  # stands in no meter's name


class Mark(NamedTuple):
    """The first reading of a page, or what comes before it in the order of the pages; empty names come before all others."""

    start: datetime
    meter: str = ""
    quantity: str = ""

    def cursor(self) -> str:
        text = BETWEEN.join((self.start.astimezone(UTC).isoformat(), self.meter, self.quantity))
        return urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def read(cls, cursor: str) -> Self:
        """Return the mark that `cursor` was made of. Raises BadRequest for any other text."""
        try:
            text, meter, quantity = urlsafe_b64decode(cursor).decode().split(BETWEEN)
            start = datetime.fromisoformat(text)
            if start.tzinfo is None:
                raise ValueError(f"{text} has no offset")
            return cls(start.astimezone(UTC), meter, quantity)
        except (ValueError, OverflowError):
            raise BadRequest("after: this is no cursor; take the next of the page before, as it stands") from None
