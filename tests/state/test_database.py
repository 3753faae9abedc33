"""The state file: whatever happens to it, the program goes on, and what was there is kept."""

import logging
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bridge.state.database import Database
from tests.support import utc

MOMENT = utc("2026-06-10T12:00:00")
ASIDE = "state.db.damaged-20260610T120000Z"
TOPICS = {f"kwh2mqtt/home/topic-{number:05}" for number in range(500)}
SELECT = "SELECT topic FROM topics"
ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from itertools import count
from pathlib import Path
from bridge.state.database import Database
from tests.support import utc

database = Database(Path(sys.argv[1]), utc("2026-06-10T12:00:00"))
for number in count(int(sys.argv[2])):
    database.write([("DELETE FROM topics", ()), *[("INSERT INTO topics VALUES (?)", (f"{number}-{n}",)) for n in range(40)]])
    print(number, flush=True)
"""
WITHOUT_SPACE = """
import logging, resource, sys
from pathlib import Path
from bridge.state.database import Database
from tests.support import utc

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    database = Database(Path(sys.argv[1]), utc("2026-06-10T12:00:00"))
except OSError as error:
    print(type(error).__name__)
else:
    print(len(database.rows("SELECT topic FROM topics")))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that holds TOPICS."""
    with closing(Database(tmp_path / "state", MOMENT)) as database:
        remember(database, TOPICS)
    return tmp_path / "state"


@pytest.fixture
def opened(folder: Path) -> Iterator[Database]:
    with closing(Database(folder, MOMENT)) as database:
        yield database


def remember(database: Database, topics: set[str]) -> None:
    database.write([("INSERT OR IGNORE INTO topics VALUES (?)", (topic,)) for topic in sorted(topics)])


def topics(database: Database) -> set[str]:
    return {topic for (topic,) in database.rows(SELECT)}


def reopened(folder: Path) -> set[str]:
    with closing(Database(folder, MOMENT)) as database:
        return topics(database)


def cut(size: int) -> Callable[[Path], None]:
    return lambda file: os.truncate(file, size)


def torn_page(number: int) -> Callable[[Path], None]:
    def tear(file: Path) -> None:
        with file.open("r+b") as handle:
            handle.seek(number * 4096)
            handle.write(random.Random(number).randbytes(4096))

    return tear


def layout(version: int) -> Callable[[Path], None]:
    def number(file: Path) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return number


def test_what_is_written_is_there_after_a_restart(folder: Path) -> None:
    assert reopened(folder) == TOPICS


def test_a_file_of_a_version_that_kept_less_is_used_on(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db")) as older:
        older.execute("DROP TABLE kept")
    with closing(Database(folder, MOMENT)) as database:
        assert (topics(database), database.rows("SELECT * FROM kept")) == (TOPICS, [])


def test_the_owner_alone_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(Database(tmp_path / "state", MOMENT)) as database:
            remember(database, TOPICS)
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert found == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for others")
def test_root_leaves_the_file_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 1234, 1235)
    with closing(Database(tmp_path / "state", MOMENT)) as database:
        remember(database, TOPICS)
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in (tmp_path / "state").iterdir()}
    assert owners == {(1234, 1235)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b"garbage" * 1000),
        lambda file: file.write_bytes(bytes(8192)),
        lambda file: file.write_text("<html>"),
        cut(50),
        cut(100),
        cut(4096),
        cut(20_000),
        torn_page(0),
        torn_page(1),
        torn_page(5),
        layout(2),
        layout(-1),
    ],
    ids=["garbage", "zeros", "text", "50 B", "100 B", "1 page", "middle", "page 1", "page 2", "page 6", "layout 2", "layout -1"],
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    damage: Callable[[Path], None], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(folder / "state.db")
    content = (folder / "state.db").read_bytes()
    with closing(Database(folder, MOMENT)) as database:
        assert topics(database) == set()
        remember(database, {"new"})
    assert reopened(folder) == {"new"}
    assert (folder / ASIDE).read_bytes() == content
    (record,) = caplog.records
    assert (record.levelno, record.message.count(ASIDE)) == (logging.WARNING, 1)


def test_the_warning_is_one_line(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    torn_page(1)(folder / "state.db")
    reopened(folder)
    assert len(caplog.records[0].message.splitlines()) == 1


def test_two_damaged_files_are_both_kept(folder: Path) -> None:
    for content in (b"first" * 1000, b"second" * 1000):
        (folder / "state.db").write_bytes(content)
        reopened(folder)
    assert {path.read_bytes() for path in folder.glob("*.damaged*")} >= {b"first" * 1000, b"second" * 1000}


@pytest.mark.parametrize("content", [b"", b"garbage" * 5000], ids=["empty", "garbage"])
def test_a_bad_log_beside_a_good_file_costs_nothing(content: bytes, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "state.db-wal").write_bytes(content)
    assert (reopened(folder), caplog.records) == (TOPICS, [])


def test_a_bad_index_of_the_log_costs_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "state.db-shm").write_bytes(b"garbage" * 5000)
    assert (reopened(folder), caplog.records) == (TOPICS, [])


def test_an_empty_file_is_a_new_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state.db").touch()
    assert (reopened(tmp_path), caplog.records) == (set(), [])


def test_a_folder_in_its_place_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    assert reopened(tmp_path) == set()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(FileExistsError):
        Database(tmp_path / "state", MOMENT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(PermissionError):
        Database(folder, MOMENT)


def test_a_file_that_another_program_holds_is_not_taken_for_damaged(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="is locked by another program"):
            Database(folder, MOMENT)
    assert reopened(folder) == TOPICS


def test_a_read_error_yields_nothing_and_a_line(opened: Database, caplog: pytest.LogCaptureFixture) -> None:
    assert opened.rows("SELECT nothing FROM nowhere") == []
    assert [(record.levelno, "going on with what is in memory" in record.message) for record in caplog.records] == [
        (logging.WARNING, True)
    ]


@pytest.mark.parametrize("limit", ["PRAGMA max_page_count = 1", "PRAGMA query_only = 1"], ids=["disk full", "read-only"])
def test_a_write_that_fails_is_told_once_and_so_is_its_healing(
    limit: str, opened: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    more = {f"kwh2mqtt/cabin/{number:0200}" for number in range(500)}
    opened._connection.execute(limit)
    for _ in range(3):
        remember(opened, more)
    assert topics(opened) == TOPICS
    opened._connection.execute("PRAGMA max_page_count = 100000")
    opened._connection.execute("PRAGMA query_only = 0")
    for _ in range(2):
        remember(opened, more)
    assert topics(opened) == TOPICS | more
    levels = [logging.WARNING, logging.DEBUG, logging.DEBUG, logging.INFO]
    assert [record.levelno for record in caplog.records] == levels


def test_a_write_to_a_closed_file_is_swallowed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(folder, MOMENT)
    database.close()
    remember(database, {"late"})
    assert (topics(database), [record.levelno for record in caplog.records]) == (set(), [logging.WARNING])


def test_a_transaction_is_written_whole_or_not_at_all(opened: Database, caplog: pytest.LogCaptureFixture) -> None:
    opened.write([("DELETE FROM topics", ()), ("INSERT INTO topics VALUES ('new')", ()), ("INSERT INTO nowhere VALUES (1)", ())])
    assert (topics(opened), len(caplog.records)) == (TOPICS, 1)


def test_a_transaction_that_cannot_be_ended_does_not_hold_up_the_next(opened: Database, caplog: pytest.LogCaptureFixture) -> None:
    opened._connection.execute("PRAGMA foreign_keys = ON")
    opened._connection.execute("CREATE TABLE parts (topic TEXT REFERENCES topics DEFERRABLE INITIALLY DEFERRED)")
    assert not opened.write([("INSERT INTO parts VALUES ('nowhere')", ())])
    assert opened.write([("INSERT INTO topics VALUES ('new')", ())], durable=True)
    assert (topics(opened), opened.rows("SELECT * FROM parts"), len(caplog.records)) == (TOPICS | {"new"}, [], 1)


def test_a_row_that_is_there_already_is_no_fault_of_the_file(opened: Database, caplog: pytest.LogCaptureFixture) -> None:
    assert not opened.write([("DELETE FROM topics", ()), ("INSERT INTO topics VALUES ('new'), ('new')", ())])
    assert (topics(opened), caplog.records) == (TOPICS, [])


def test_two_processes_write_side_by_side(folder: Path) -> None:
    with closing(Database(folder, MOMENT)) as one, closing(Database(folder, MOMENT)) as two:
        remember(one, {"one"})
        remember(two, {"two"})
        assert topics(one) == topics(two) == TOPICS | {"one", "two"}


def test_a_full_disk_is_not_taken_for_damage(folder: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_SPACE, str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False)
    assert [path.name for path in folder.glob("*.damaged*")] == []
    assert reopened(folder) == TOPICS


def test_a_writer_that_is_killed_loses_nothing_that_it_finished(tmp_path: Path) -> None:
    chance, finished = random.Random(1), 0
    for _ in range(20):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(finished + 1)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randint(1, 40)):
                finished = int(writer.stdout.readline())
            with suppress(ProcessLookupError):
                writer.send_signal(signal.SIGKILL)
            finished = max([finished, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        held = {topic.partition("-")[0] for topic in reopened(tmp_path)}
        assert held in ({str(finished)}, {str(finished + 1)})
        assert len(reopened(tmp_path)) == 40
        finished = int(held.pop())
    assert list(tmp_path.glob("*.damaged*")) == []
