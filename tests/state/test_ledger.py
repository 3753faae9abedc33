"""The ledger: no write is done twice, whatever happens to the machine, and none is sent that is not written down."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import SANE
from bridge.state.database import Database
from bridge.state.ledger import EPOCH, FORGOTTEN_ALONG, MOST_FORGOTTEN, MOST_WRITES, Entry, Ledger, Unfinished
from tests.support import utc

NOON = utc("2026-06-10T12:00:00.123456")
DAY, SECOND, MICROSECOND = timedelta(hours=24), timedelta(seconds=1), timedelta(microseconds=1)
ROOT = Path(__file__).resolve().parents[2]

CUT_OFF = """
import sys
from pathlib import Path
from bridge.state.database import Database
from bridge.state.ledger import Ledger
from tests.support import utc

moment = utc("2026-06-10T12:00:00.123456")
ledger = Ledger(Database(Path(sys.argv[1]), moment))
ledger.begin("wallbox", "1", "digest", "reply", moment)
ledger.finish("wallbox", "1", b"answer", moment)
print(ledger.begin("wallbox", "2", "digest", "reply", moment), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path, NOON)) as opened:
        yield opened


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def rows(database: Database) -> int:
    return int(database.rows("SELECT COUNT(*) FROM writes")[0][0])


def fill(database: Database, count: int, moment: datetime, client: str = "wallbox") -> None:
    """Write down what `begin` would, without a sync for each."""
    number = (moment - EPOCH) // MICROSECOND
    insert = "INSERT INTO writes VALUES (?, ?, 'digest', 'reply', NULL, ?)"
    database.write((insert, (client, f"{moment:%d%H%M}-{each}", number)) for each in range(count))


def test_a_write_that_nobody_has_asked_for_is_not_known(ledger: Ledger) -> None:
    assert (ledger.find("wallbox", "7", NOON), ledger.unfinished()) == (None, [])


def test_a_write_is_known_from_its_beginning_and_with_its_answer_from_its_end(ledger: Ledger) -> None:
    assert ledger.begin("wallbox", "7", "digest", "reply", NOON)
    assert ledger.find("wallbox", "7", NOON + SECOND) == Entry("digest", None, NOON)
    ledger.finish("wallbox", "7", b"\x00answer", NOON + 2 * SECOND)
    assert ledger.find("wallbox", "7", NOON + 3 * SECOND) == Entry("digest", b"\x00answer", NOON + 2 * SECOND)


def test_a_write_that_is_there_already_is_not_begun_again(
    ledger: Ledger, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    assert not ledger.begin("wallbox", "7", "other", "reply", NOON + SECOND)
    ledger.finish("wallbox", "7", b"answer", NOON)
    assert not ledger.begin("wallbox", "7", "digest", "reply", NOON)
    assert (ledger.find("wallbox", "7", NOON), rows(database)) == (Entry("digest", b"answer", NOON), 1)
    assert caplog.messages == []


def test_each_client_counts_for_itself(ledger: Ledger) -> None:
    assert ledger.begin("wallbox", "7", "one", "reply", NOON)
    assert ledger.begin("heater", "7", "two", "reply", NOON)
    ledger.finish("heater", "7", b"answer", NOON)
    found = [ledger.find(client, "7", NOON) for client in ("wallbox", "heater", "Heater")]
    assert found == [Entry("one", None, NOON), Entry("two", b"answer", NOON), None]


def test_a_write_that_was_never_sent_can_be_begun_again(ledger: Ledger) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    ledger.drop("wallbox", "7")
    assert (ledger.find("wallbox", "7", NOON), ledger.unfinished()) == (None, [])
    assert ledger.begin("wallbox", "7", "other", "reply", NOON)


def test_a_write_that_was_finished_is_not_dropped(ledger: Ledger) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    ledger.finish("wallbox", "7", b"answer", NOON)
    ledger.drop("wallbox", "7")
    assert ledger.find("wallbox", "7", NOON) == Entry("digest", b"answer", NOON)


# restarts


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with closing(Database(tmp_path, NOON)) as database:
        before = Ledger(database)
        before.begin("wallbox", "7", "digest", "reply 7", NOON)
        before.finish("wallbox", "7", b"answer", NOON)
        before.begin("wallbox", "9", "digest", "reply 9", NOON + SECOND)
        before.begin("heater", "8", "digest", "reply 8", NOON)
    with closing(Database(tmp_path, NOON)) as database:
        after = Ledger(database)
        assert after.find("wallbox", "7", NOON) == Entry("digest", b"answer", NOON)
        assert not after.begin("wallbox", "7", "digest", "reply 7", NOON)
        assert after.unfinished() == [
            Unfinished("heater", "8", "reply 8", NOON),
            Unfinished("wallbox", "9", "reply 9", NOON + SECOND),
        ]


def test_a_write_that_was_cut_off_is_known_as_begun_and_never_finished(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CUT_OFF, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as bridge:
        assert bridge.stdout is not None
        assert bridge.stdout.readline() == "True\n"
        os.kill(bridge.pid, signal.SIGKILL)
    with closing(Database(tmp_path, NOON)) as database:
        after = Ledger(database)
        assert after.unfinished() == [Unfinished("wallbox", "2", "reply", NOON)]
        found = [after.find("wallbox", id_, NOON) for id_ in ("1", "2")]
        assert found == [Entry("digest", b"answer", NOON), Entry("digest", None, NOON)]
        after.finish("wallbox", "2", b"unknown", NOON)
        assert after.unfinished() == []


def test_a_file_of_a_version_without_a_ledger_is_used_on(tmp_path: Path) -> None:
    Database(tmp_path, NOON).close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as older:
        older.execute("DROP TABLE writes")
    with closing(Database(tmp_path, NOON)) as database:
        assert Ledger(database).begin("wallbox", "7", "digest", "reply", NOON)


def test_what_is_begun_and_what_is_finished_is_synced_before_anybody_hears_of_it(ledger: Ledger, database: Database) -> None:
    statements: list[str] = []
    database._connection.set_trace_callback(statements.append)
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    ledger.finish("wallbox", "7", b"answer", NOON)
    database.write([("DELETE FROM topics", ())])
    database._connection.set_trace_callback(None)
    framed = [line.split(" (")[0] for line in statements if line.split()[0] in ("PRAGMA", "BEGIN", "COMMIT")]
    full = ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT"]
    assert framed == [*full, *full, "PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE", "COMMIT"]
    assert database.rows("PRAGMA journal_mode") == [("wal",)]


# a day


@pytest.mark.parametrize("answer", [None, b"answer"])
def test_after_a_day_an_id_may_be_used_again(ledger: Ledger, database: Database, answer: bytes | None) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    if answer is not None:
        ledger.finish("wallbox", "7", answer, NOON)
    last = NOON + DAY - MICROSECOND
    assert (ledger.find("wallbox", "7", last), ledger.begin("wallbox", "7", "d", "r", last)) == (
        Entry("digest", answer, NOON),
        False,
    )
    assert (ledger.find("wallbox", "7", NOON + DAY), ledger.begin("wallbox", "7", "d", "r", NOON + DAY)) == (None, True)
    assert (ledger.find("wallbox", "7", NOON + DAY), rows(database)) == (Entry("d", None, NOON + DAY), 1)


def test_what_is_older_than_a_day_is_forgotten_and_nothing_else(ledger: Ledger) -> None:
    for hours in range(4):
        ledger.begin("wallbox", f"{hours}", "digest", "reply", NOON + timedelta(hours=hours))
    ledger.forget(NOON + DAY + timedelta(hours=2))
    assert [left.id for left in ledger.unfinished()] == ["3"]


def test_so_much_is_forgotten_at_once_as_does_no_harm_the_oldest_first(ledger: Ledger, database: Database) -> None:
    fill(database, MOST_FORGOTTEN, NOON)
    fill(database, 500, NOON + timedelta(minutes=1))
    ledger.forget(NOON + 2 * DAY)
    assert {left.begun for left in ledger.unfinished()} == {NOON + timedelta(minutes=1)}
    ledger.forget(NOON + 2 * DAY)
    assert rows(database) == 0


def test_each_write_takes_some_of_what_is_old_with_it(ledger: Ledger, database: Database) -> None:
    fill(database, 25, NOON)
    left = []
    for number in range(4):
        ledger.begin("heater", f"{number}", "digest", "reply", NOON + DAY)
        left.append(rows(database) - number - 1)
    assert (left, FORGOTTEN_ALONG) == ([15, 5, 0, 0], 10)


# a clock that is set


def test_a_clock_that_is_behind_and_set_later_forgets_nothing(ledger: Ledger) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    ledger.begin("wallbox", "8", "digest", "reply", NOON)
    earlier = SANE + SECOND
    ledger.forget(earlier)
    ledger.finish("wallbox", "8", b"answer", earlier)
    assert ledger.find("wallbox", "7", earlier) == Entry("digest", None, earlier)
    assert ledger.find("wallbox", "7", NOON + DAY - SECOND) == Entry("digest", None, NOON)
    assert ledger.find("wallbox", "8", NOON + DAY - SECOND) == Entry("digest", b"answer", NOON)
    assert ledger.find("wallbox", "7", NOON + DAY) is None


def test_a_clock_that_is_yet_to_be_set_makes_nobody_forget(ledger: Ledger) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    start = utc("1970-01-01T00:00:05")
    ledger.forget(start)
    assert ledger.find("wallbox", "7", start) == Entry("digest", None, start)
    assert not ledger.begin("wallbox", "7", "digest", "reply", start)
    assert ledger.find("wallbox", "7", NOON + SECOND) == Entry("digest", None, NOON)


# what it cannot do


@pytest.mark.parametrize("limit", ["PRAGMA max_page_count = 1", "PRAGMA query_only = 1"], ids=["disk full", "read-only"])
def test_what_cannot_be_written_down_is_not_begun(
    limit: str, ledger: Ledger, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.begin("wallbox", "7", "digest", "reply", NOON)
    database._connection.execute(limit)
    large = "x" * 100_000
    assert [ledger.begin("wallbox", f"{number}", "digest", large, NOON) for number in (8, 9, 8)] == [False] * 3
    ledger.finish("wallbox", "7", large.encode(), NOON)
    assert ledger.find("wallbox", "7", NOON) == Entry("digest", None, NOON)
    database._connection.execute("PRAGMA max_page_count = 100000")
    database._connection.execute("PRAGMA query_only = 0")
    assert ledger.begin("wallbox", "8", "digest", large, NOON)
    assert len(caplog.messages) == 1


WITHOUT_SPACE = """
import resource, sys
from pathlib import Path
from bridge.state.database import Database
from bridge.state.ledger import Ledger
from tests.support import utc

moment = utc("2026-06-10T12:00:00")
ledger = Ledger(Database(Path(sys.argv[1]), moment))
print(ledger.begin("wallbox", "1", "digest", "reply", moment))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
print(ledger.begin("wallbox", "2", "digest", "reply", moment))
"""


def test_on_a_full_disk_nothing_is_begun(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_SPACE, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.returncode) == ("True\nFalse\n", 0)
    with closing(Database(tmp_path, NOON)) as database:
        assert [left.id for left in Ledger(database).unfinished()] == ["1"]


def test_in_a_file_that_is_torn_under_our_hands_nothing_is_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Database(tmp_path, NOON)) as database:
        Ledger(database).begin("wallbox", "7", "digest", "reply", NOON)
    with closing(Database(tmp_path, NOON)) as database:
        page = database.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'writes'")[0][0]
        with (tmp_path / "state.db").open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
        database._connection.execute("PRAGMA shrink_memory")  # it remembers the page
        ledger = Ledger(database)
        assert ledger.find("wallbox", "7", NOON) is None
        assert [ledger.begin("wallbox", id_, "digest", "reply", NOON) for id_ in ("7", "8")] == [False, False]
    assert len([message for message in caplog.messages if "failed" in message]) == 1


def test_with_a_closed_file_nothing_is_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = Database(tmp_path, NOON)
    database.close()
    ledger = Ledger(database)
    assert (ledger.find("x", "1", NOON), ledger.begin("x", "1", "d", "r", NOON), ledger.unfinished()) == (None, False, [])
    assert len(caplog.messages) == 1


def test_while_another_program_holds_the_file_nothing_is_begun(tmp_path: Path, ledger: Ledger, database: Database) -> None:
    database._connection.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not ledger.begin("wallbox", "7", "digest", "reply", NOON)
        other.execute("ROLLBACK")
    assert ledger.begin("wallbox", "7", "digest", "reply", NOON)


def test_a_client_that_asks_for_too_much_is_refused_until_its_oldest_writes_are_old(
    ledger: Ledger, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    fill(database, MOST_WRITES - 1, NOON)
    assert [ledger.begin("wallbox", id_, "d", "r", NOON + SECOND) for id_ in ("1", "2", "3")] == [True, False, False]
    assert ledger.begin("heater", "1", "d", "r", NOON)
    assert ledger.begin("wallbox", "4", "d", "r", NOON + DAY)
    assert caplog.messages == ["'wallbox' has asked for 20000 writes in a day: more are refused until the oldest is so old"]


# any text


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(Database(tmp_path_factory.mktemp("state"), NOON)) as opened:
        yield opened


@given(st.dictionaries(st.tuples(st.text(), st.text(min_size=1, max_size=64)), st.text(), max_size=6))
def test_any_client_and_any_id_stand_for_themselves(shared: Database, writes: dict[tuple[str, str], str]) -> None:
    shared.write([("DELETE FROM writes", ())])
    ledger = Ledger(shared)
    for (client, id_), digest in writes.items():
        assert ledger.begin(client, id_, digest, digest, NOON)
        ledger.finish(client, id_, f"{digest} {id_}".encode(), NOON)
    found = {key: ledger.find(*key, NOON) for key in writes}
    assert found == {(client, id_): Entry(text, f"{text} {id_}".encode(), NOON) for (client, id_), text in writes.items()}


@given(st.datetimes(min_value=datetime(2025, 1, 2), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - `utc` makes it aware
def test_a_moment_is_kept_to_the_microsecond(shared: Database, moment: datetime) -> None:
    shared.write([("DELETE FROM writes", ())])
    begun = utc(moment.isoformat())
    Ledger(shared).begin("wallbox", "7", "digest", "reply", begun)
    assert Ledger(shared).find("wallbox", "7", begun) == Entry("digest", None, begun)


def test_half_a_letter_is_no_id(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    assert (ledger.find("wallbox", "\ud800", NOON), ledger.begin("wallbox", "\ud800", "d", "r", NOON)) == (None, False)
    assert len(caplog.messages) == 1
