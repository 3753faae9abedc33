"""The SQLite file: opened, checked, and set aside where it is damaged. A write that fails costs memory of it, never the run.

WAL with `synchronous = NORMAL` syncs only at checkpoints: a power cut may lose the last seconds, it cannot corrupt.
A durable write is synced by itself, so that no power cut can undo it.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.topics import distinct

log = logging.getLogger(__name__)

FILE = "state.db"
BUSY_S = 2.0  # another process, such as `kwh2mqtt poll`, may be writing
VERSION = 1
TABLES = """
CREATE TABLE IF NOT EXISTS installation (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sites (
    source TEXT, id TEXT, name TEXT NOT NULL, site TEXT NOT NULL, PRIMARY KEY (source, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS curves (
    source TEXT, site TEXT, stream TEXT, curve TEXT NOT NULL, PRIMARY KEY (source, site, stream));
CREATE TABLE IF NOT EXISTS readings (
    source TEXT, site TEXT, meter TEXT, quantity TEXT, reading TEXT NOT NULL,
    PRIMARY KEY (source, site, meter, quantity)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    source TEXT, site TEXT, kind TEXT, name TEXT, content TEXT NOT NULL,
    PRIMARY KEY (source, site, kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS budgets (source TEXT PRIMARY KEY, spending TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pockets (source TEXT PRIMARY KEY, identity TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plans (client TEXT, name TEXT, plan TEXT, PRIMARY KEY (client, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deprecations (source TEXT, provider TEXT NOT NULL, text TEXT, PRIMARY KEY (source, text));
CREATE TABLE IF NOT EXISTS writes (
    client TEXT, id TEXT, digest TEXT NOT NULL, reply TEXT NOT NULL, answer BLOB, begun INTEGER NOT NULL,
    PRIMARY KEY (client, id));
CREATE INDEX IF NOT EXISTS writes_begun ON writes (begun);
"""

DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Statement = tuple[str, Sequence[Any]]
M = TypeVar("M", bound=BaseModel)


def readable(model: type[M], rows: Iterable[tuple[Any, ...]]) -> Iterator[M]:
    """Yield what the first column of each row holds; one that cannot be read is left out with a line in the log."""
    for text, *_ in rows:
        try:
            yield model.model_validate_json(text)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            log.warning("a %s in the state file cannot be read and is left out: %s", model.__name__, reason)


def owned(path: Path) -> None:
    """Make sure that `path` is a file that its folder's owner alone can use, also where root is the one to make it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if os.geteuid() == 0:  # `sudo kwh2mqtt check` must not lock the service out
            folder = path.parent.stat()
            os.fchown(handle, folder.st_uid, folder.st_gid)
    finally:
        os.close(handle)


class Damaged(Exception):
    """The file is there and no use."""


class Database:
    """The file `state.db` in `directory`, readable by its owner alone. Not shared between threads."""

    def __init__(self, directory: Path, moment: datetime) -> None:
        """Open it, or start a new one where there is none. Raises OSError where the folder cannot be used."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = directory / FILE
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable", str(directory))
        self._failing = False
        try:
            self._connection = self._open()
        except Damaged as damage:
            self._set_aside(moment, damage)
            self._connection = self._open()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what `query` finds; nothing, with a line in the log, where the file cannot be read."""
        try:
            return self._connection.execute(query, parameters).fetchall()
        except (sqlite3.Error, ValueError) as error:  # a ValueError is text that is no Unicode
            self._report(error)
            return []

    def write(self, statements: Iterable[Statement], *, durable: bool = False) -> bool:
        """Carry out `statements` as one transaction and tell whether it was written. A failure is logged once.

        One that is `durable` is on the disk by then, which may take some 10 ms.
        """
        try:
            with self._transaction(durable=durable):
                for statement, parameters in statements:
                    self._connection.execute(statement, parameters)
        except (sqlite3.Error, ValueError) as error:  # a ValueError is text that is no Unicode
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
                self._report(error)  # else the file is well: such a row is there already
            return False
        if self._failing:
            log.info("the state file %s can be written again", self.path)
        self._failing = False
        return True

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")  # heeded outside of one only
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        if self.path.is_dir():
            raise Damaged("it is a folder")
        owned(self.path)
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        try:
            self._prepare(connection)
        except sqlite3.Error as error:
            connection.close()
            if error.sqlite_errorcode in DAMAGE:
                raise Damaged(str(error)) from error
            reason = "is locked by another program" if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else f"failed: {error}"
            raise OSError(f"{self.path} {reason}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise Damaged(f"its layout is number {version}, this version knows {VERSION}")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise Damaged(str(verdict))
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(TABLES)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.OperationalError as error:
            if not version or error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            self._report(error)  # a full disk: what the file holds can be read all the same

    def _set_aside(self, moment: datetime, damage: Exception) -> None:
        taken = {path.name for path in self.path.parent.iterdir()}
        aside = self.path.with_name(distinct(f"{FILE}.damaged-{moment:%Y%m%dT%H%M%SZ}", taken))
        reason = " ".join(str(damage).split())
        log.warning("the state file %s cannot be used (%s); it is kept as %s and a new one begun", self.path, reason, aside.name)
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{aside}{suffix}")

    def _report(self, error: Exception) -> None:
        level = logging.DEBUG if self._failing else logging.WARNING
        log.log(level, "the state file %s failed (%s); going on with what is in memory", self.path, error)
        self._failing = True
