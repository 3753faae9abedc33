"""The ledger: every write that a device has asked for, kept for a day, so that none is done twice.

A write is on the disk before it is sent. What cannot be written down must not be sent.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bridge.state.database import Database, Statement

log = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
MOST_WRITES = 20_000  # of one client in that time; the usual limit of 10 a minute lets 14,400 through
MOST_FORGOTTEN = 1000  # rows that are deleted at once: some 10 ms on a Pi
FORGOTTEN_ALONG = 10  # with each write, so that the table shrinks faster than it grows
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Entry(NamedTuple):
    """A write that is known: `digest` tells what was asked for; without an `answer` it was begun and never finished."""

    digest: str
    answer: bytes | None
    begun: datetime


class Unfinished(NamedTuple):
    """A write of which nobody knows what became; `reply` is what its caller left to find out where its answer goes."""

    client: str
    id: str
    reply: str
    begun: datetime


class Ledger:
    """The writes of all clients. Each id stands for one write of its client."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: set[str] = set()  # clients that have filled their part

    def find(self, client: str, id_: str, moment: datetime) -> Entry | None:
        """Return what is known of a write that was begun in the last 24 hours."""
        query = "SELECT digest, answer, begun FROM writes WHERE client = ? AND id = ? AND begun > ?"
        for digest, answer, begun in self._database.rows(query, (client, id_, _number(moment - KEPT))):
            return Entry(digest, answer, min(_instant(begun), moment))  # a clock that is behind forgets nothing
        return None

    def begin(self, client: str, id_: str, digest: str, reply: str, moment: datetime) -> bool:
        """Write down that a write is about to be sent, and tell whether it may be: it is on the disk, or it is not to be sent.

        False where the file cannot be written, where the id is there already, and where the client has asked for too much.
        """
        if not self._has_room(client, moment):
            return False
        return self._database.write(
            [
                ("DELETE FROM writes WHERE client = ? AND id = ? AND begun <= ?", (client, id_, _number(moment - KEPT))),
                _forgetting(moment, FORGOTTEN_ALONG),
                ("INSERT INTO writes VALUES (?, ?, ?, ?, NULL, ?)", (client, id_, digest, reply, _number(moment))),
            ],
            durable=True,
        )

    def finish(self, client: str, id_: str, answer: bytes, moment: datetime) -> None:
        """Keep the answer of a write. It is on the disk before it is sent, so that no power cut brings another."""
        query = "UPDATE writes SET answer = ?, reply = '', begun = max(begun, ?) WHERE client = ? AND id = ?"
        self._database.write([(query, (answer, _number(moment), client, id_))], durable=True)

    def drop(self, client: str, id_: str) -> None:
        """Forget a write that was begun and, for certain, never sent: its id may be used again."""
        query = "DELETE FROM writes WHERE client = ? AND id = ? AND answer IS NULL"
        self._database.write([(query, (client, id_))])

    def unfinished(self) -> list[Unfinished]:
        """Return the writes that were begun and never finished, oldest first: after a start, those that were cut off."""
        query = "SELECT client, id, reply, begun FROM writes WHERE answer IS NULL ORDER BY begun"
        return [Unfinished(client, id_, reply, _instant(begun)) for client, id_, reply, begun in self._database.rows(query)]

    def forget(self, moment: datetime) -> None:
        """Delete what is older than 24 hours, the oldest first, so much at once as does no harm."""
        self._database.write([_forgetting(moment, MOST_FORGOTTEN)])

    def _has_room(self, client: str, moment: datetime) -> bool:
        """Tell whether `client` may have one more: to forget an old one instead would let it be done twice."""
        if self._count(client) >= MOST_WRITES:
            self.forget(moment)
        has_room = self._count(client) < MOST_WRITES
        if not has_room and client not in self._told:
            log.warning("%r has asked for %d writes in a day: more are refused until the oldest is so old", client, MOST_WRITES)
        (self._told.discard if has_room else self._told.add)(client)
        return has_room

    def _count(self, client: str) -> int:
        return sum(number for (number,) in self._database.rows("SELECT COUNT(*) FROM writes WHERE client = ?", (client,)))


def _forgetting(moment: datetime, most: int) -> Statement:
    oldest = "SELECT rowid FROM writes WHERE begun <= ? ORDER BY begun LIMIT ?"
    return f"DELETE FROM writes WHERE rowid IN ({oldest})", (_number(moment - KEPT), most)  # noqa: S608 - both are ours


def _number(moment: datetime) -> int:
    """Return `moment` in microseconds since 1970, which SQLite holds exactly."""
    return (moment - EPOCH) // MICROSECOND


def _instant(number: int) -> datetime:
    return EPOCH + number * MICROSECOND
