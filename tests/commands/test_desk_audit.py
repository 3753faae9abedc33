"""Who did what: a line for each write, in the log and on the audit topic, and nothing personal or secret in it."""

import logging
from collections import Counter
from pathlib import Path

import pytest

from bridge.errors import Refused
from tests.commands.office import SECRET, Asked, Office, query, read, write
from tests.support import settle

SWITCH = "wallbox/home/switch"
BODY = {"id": "7", "args": {"device": "car"}}


async def test_each_write_is_noted_done_or_refused_without_its_arguments(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bridge.commands")
    office = Office(tmp_path, write(Asked({"mail": "a@example.com"}, Refused("no"))), query(Asked()))
    await office.send(SWITCH, {"id": "7", "args": {"device": "a@example.com"}})
    await office.send(SWITCH, {"id": "7", "args": {"device": "a@example.com"}})
    await office.send(SWITCH, {"id": "8", "args": {"device": "a@example.com"}})
    await office.send("button/home/switch", {"args": {}})
    await office.send("other/home/switch", {"id": "7"})
    await office.send("wallbox/home/ask")
    await office.send(SWITCH, {"id": "9", "dry_run": True})
    rows = [(line["client"], line["operation"], line["id"], line["outcome"], line["replayed"]) for line in office.audit()]
    assert rows == [
        ("wallbox", "home.switch", "7", "ok", False),
        ("wallbox", "home.switch", "7", "ok", True),
        ("wallbox", "home.switch", "8", "refused", False),
        ("button", "home.switch", None, "bad_request", False),
        ("other", "home.switch", "7", "not_allowed", False),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "write home.switch by 'wallbox', id '7': ok",
        "write home.switch by 'wallbox', id '7': ok",
        "write home.switch by 'wallbox', id '8': refused",
        "write home.switch by 'button', id None: bad_request",
        "write home.switch by 'other', id '7': not_allowed",
    ]
    assert not any("example.com" in str(line) for line in office.audit())


async def test_an_id_cannot_write_a_line_of_its_own_into_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge.commands")
    office = Office(tmp_path, write(Asked()))
    await office.send(SWITCH, {"id": "7\nwrite home.switch by 'owner', id '1': ok"})
    assert [len(record.getMessage().splitlines()) for record in caplog.records] == [1]


async def test_no_secret_stays_in_the_state_folder(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked(Refused(f"{SECRET} is not taken", reasons=(SECRET,)))))
    await office.send(SWITCH, BODY)
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.iterdir())


async def test_a_device_that_runs_wild_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bridge.commands")
    office = Office(tmp_path, write(Asked()), per_minute=2)
    for number in range(100):
        office.post(SWITCH, {"id": f"{number}"}, response_topic="kwh2mqtt/response/other/x" if number % 2 else None)
    await settle()
    outcomes = Counter(read(message).get("error", {}).get("code") for message in office.answers())
    assert outcomes == {None: 1, "bad_request": 1, "rate_limited": 98}
    assert (len(office.audit()), len(caplog.records)) == (2, 2)
