"""The narrow face of the state: what is known of every source, as it was when the process last knew it.

A row that cannot be read (an older version's, a torn one) is left out with a line in the log; nothing else stops.
"""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from bridge.models.device import Device
from bridge.models.price import Curve, Instant
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.state.database import Database, M, Statement, readable


class SourceRecord(BaseModel):
    """When a source last did what: `seen` is keyed by kind of observation."""

    model_config = ConfigDict(frozen=True)

    identity: str = ""  # changes with the account, so that one account's cache is not taken for another's
    last_attempt: Instant | None = None
    last_success: Instant | None = None
    seen: dict[str, Instant] = Field(default_factory=dict)


class NamedSite(NamedTuple):
    """A site under the name that its topics bear."""

    name: str
    site: Site


class NamedDevice(BaseModel):
    """A device under the name that its topics bear."""

    model_config = ConfigDict(frozen=True)

    name: str
    device: Device


class NamedMeter(BaseModel):
    """The name that the topics of a meter bear."""

    model_config = ConfigDict(frozen=True)

    id: str  # the provider's
    name: str


class Store:
    """The state of one installation. Use it as a context manager."""

    def __init__(self, directory: Path, moment: datetime) -> None:
        self.database = Database(directory, moment)
        self._id: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.database.close()

    # the installation

    def share(self) -> float:
        """Return this installation's own number in [0, 1), chosen once: it spreads what all would do at one moment."""
        return int(self.installation_id()[:8], 16) / 2**32

    def installation_id(self) -> str:
        """Return this installation's random id, chosen once: 32 hexadecimal digits."""
        if self._id is None:
            kept = [str(value) for (value,) in self.database.rows("SELECT value FROM installation WHERE key = 'id'")]
            self._id = next((value for value in kept if re.fullmatch("[0-9a-f]{32}", value)), secrets.token_hex(16))
            if self._id not in kept:
                self.database.write([("INSERT OR REPLACE INTO installation VALUES ('id', ?)", (self._id,))])
        return self._id

    # sources and sites

    def source(self, source: str) -> SourceRecord:
        rows = self.database.rows("SELECT record FROM sources WHERE source = ?", (source,))
        return next(readable(SourceRecord, rows), SourceRecord())

    def sites(self, source: str) -> dict[str, NamedSite]:
        """Return the known sites of a source by the provider's id."""
        rows = self.database.rows("SELECT site, name FROM sites WHERE source = ?", (source,))
        named = ((name, next(readable(Site, [(text,)]), None)) for text, name in rows)
        return {site.id: NamedSite(name, site) for name, site in named if site is not None}

    def curves(self, source: str) -> dict[tuple[str, str], Curve]:
        """Return the curves of a source by site id and stream."""
        rows = self.database.rows("SELECT curve, site, stream FROM curves WHERE source = ?", (source,))
        return {(site, stream): curve for text, site, stream in rows for curve in readable(Curve, [(text,)])}

    def readings(self, source: str) -> dict[str, tuple[Reading, ...]]:
        """Return the newest readings of a source by site id."""
        found: dict[str, tuple[Reading, ...]] = {}
        rows = self.database.rows("SELECT reading, site FROM readings WHERE source = ? ORDER BY meter, quantity", (source,))
        for text, site in rows:
            found[site] = (*found.get(site, ()), *readable(Reading, [(text,)]))
        return found

    def kept(self, source: str, kind: type[M]) -> dict[str, tuple[M, ...]]:
        """Return all of one kind that is kept of a source (figures, schedules, devices) by site id."""
        found: dict[str, tuple[M, ...]] = {}
        query = "SELECT content, site FROM kept WHERE source = ? AND kind = ? ORDER BY name"
        for text, site in self.database.rows(query, (source, kind.__name__)):
            found[site] = (*found.get(site, ()), *readable(kind, [(text,)]))
        return found

    def deprecations(self, source: str, provider: str) -> tuple[str, ...]:
        """Return what the last introspection of a source found deprecated; nothing where another provider bore its name."""
        query = "SELECT text FROM deprecations WHERE source = ? AND provider = ? ORDER BY rowid"
        return tuple(str(text) for (text,) in self.database.rows(query, (source, provider)))

    def save(self, statements: Iterable[Statement]) -> None:
        """Write what the functions below made, as one transaction."""
        self.database.write(statements)

    # topics that were published and may have to be cleared one day

    def topics(self) -> set[str]:
        return {topic for (topic,) in self.database.rows("SELECT topic FROM topics")}

    def remember_topics(self, topics: Iterable[str]) -> None:
        self.database.write([("INSERT OR IGNORE INTO topics VALUES (?)", (topic,)) for topic in topics])

    def forget_topics(self, topics: Iterable[str]) -> None:
        self.database.write([("DELETE FROM topics WHERE topic = ?", (topic,)) for topic in topics])


def row(statement: Statement) -> Statement:
    """Return what two statements share of which the later one makes the earlier needless."""
    query, parameters = statement
    return query, tuple(parameters[:-1] if query.startswith("INSERT OR REPLACE") else parameters)  # the content comes last


def saved_source(source: str, record: SourceRecord) -> Statement:
    return "INSERT OR REPLACE INTO sources VALUES (?, ?)", (source, record.model_dump_json())


def saved_site(source: str, named: NamedSite) -> Statement:
    parameters = (source, named.site.id, named.name, named.site.model_dump_json())
    return "INSERT OR REPLACE INTO sites VALUES (?, ?, ?, ?)", parameters


def saved_curve(source: str, site: str, stream: str, curve: Curve) -> Statement:
    return "INSERT OR REPLACE INTO curves VALUES (?, ?, ?, ?)", (source, site, stream, curve.model_dump_json())


def saved_reading(source: str, site: str, reading: Reading) -> Statement:
    parameters = (source, site, reading.meter, reading.quantity, reading.model_dump_json())
    return "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)", parameters


def removed_reading(source: str, site: str, meter: str, quantity: str) -> Statement:
    query = "DELETE FROM readings WHERE source = ? AND site = ? AND meter = ? AND quantity = ?"
    return query, (source, site, meter, quantity)


def saved(source: str, site: str, name: str, content: BaseModel) -> Statement:
    """Return what keeps `content` as the one of its kind that is called `name`."""
    parameters = (source, site, type(content).__name__, name, content.model_dump_json())
    return "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)", parameters


def removed(source: str, site: str, name: str, kind: type[BaseModel]) -> Statement:
    query = "DELETE FROM kept WHERE source = ? AND site = ? AND kind = ? AND name = ?"
    return query, (source, site, kind.__name__, name)


def saved_deprecations(source: str, provider: str, texts: Iterable[str]) -> list[Statement]:
    """Return what puts `texts` in the place of all that was found deprecated at a source before."""
    insert = "INSERT OR IGNORE INTO deprecations VALUES (?, ?, ?)"
    return [("DELETE FROM deprecations WHERE source = ?", (source,)), *((insert, (source, provider, text)) for text in texts)]


def removed_site(source: str, site: str) -> list[Statement]:
    """Return what forgets a site's data. Its name goes too: should it come back, it is named anew."""
    return [
        ("DELETE FROM sites WHERE source = ? AND id = ?", (source, site)),
        ("DELETE FROM curves WHERE source = ? AND site = ?", (source, site)),
        ("DELETE FROM readings WHERE source = ? AND site = ?", (source, site)),
        ("DELETE FROM kept WHERE source = ? AND site = ?", (source, site)),
    ]
