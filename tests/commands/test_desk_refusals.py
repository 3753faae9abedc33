"""Commands that are not carried out: what is wrong with each is told, once, and nobody is asked."""

from pathlib import Path
from typing import Any

import pytest

from tests.commands.haste import Haste
from tests.commands.office import Asked, Office, failed, ok, query, read, write
from tests.support import settle

ASK = "wallbox/home/ask"
RETAINED = "a retained command is not carried out: send it without the retain flag, and clear it with an empty one"


async def test_a_retained_command_is_refused_once_however_often_it_comes(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), write(asked))
    for name in ("ask", "switch"):
        assert await office.send(f"wallbox/home/{name}", {"id": "7"}, retained=True) == failed(
            "retained", RETAINED, "7", f"home.{name}"
        )
    for _ in range(3):  # it comes again with every connect
        office.post(ASK, {"id": "7"}, retained=True)
        await settle()
    assert (len(office.answers()), asked.asked) == (2, [])


async def test_another_retained_command_is_refused_too_and_one_that_clears_is_none(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()))
    for id_ in ("7", "8"):
        assert (await office.send(ASK, {"id": id_}, retained=True))["error"]["code"] == "retained"
    office.post(ASK, b"", retained=True)
    await settle()
    assert len(office.answers()) == 2


async def test_the_same_without_the_retain_flag_is_carried_out(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()))
    assert (await office.send(ASK, {"id": "7"}, retained=True))["error"]["code"] == "retained"
    assert await office.send(ASK, {"id": "7"}) == ok({}, "7")


async def test_retained_commands_without_end_are_not_remembered_without_end(tmp_path: Path) -> None:
    office = Office(tmp_path)
    for number in range(1500):
        office.post(f"client-{number}/home/ask", b"x", retained=True)
    await settle()
    assert (len(office.desk._refused), len(office.answers())) == (1000, 1500)


async def test_an_expired_command_is_not_carried_out(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), write(asked))
    body = {"id": "7", "expires_at": "2026-06-10T10:05:00Z"}
    text = "it expired at 2026-06-10T10:05:00Z, and it is 2026-06-10T10:05:00Z"
    assert await office.send(ASK, body) == failed("expired", text, "7")
    assert await office.send("wallbox/home/switch", body) == failed("expired", text, "7", "home.switch")
    assert await office.send(ASK, b"", expires_in_s=0) == failed("expired", "its message expiry is over")
    assert asked.asked == []


@pytest.mark.parametrize("about", [{"payload": {"expires_at": "2026-06-10T10:05:05Z"}}, {"payload": b"", "expires_in_s": 5}])
async def test_one_that_expires_while_the_provider_thinks_is_told_then(tmp_path: Path, haste: Haste, about: Any) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked))
    asked.open.clear()
    office.post(ASK, **about)
    await settle()
    haste.passes(4)
    await settle()
    assert office.answers() == []
    haste.passes(2)
    await settle()
    assert [read(message) for message in office.answers()] == [failed("timeout", "no answer came in time")]


async def test_a_provider_that_thinks_for_30_seconds_is_not_waited_for(tmp_path: Path, haste: Haste) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked))
    asked.open.clear()
    office.post(ASK)
    await settle()
    haste.passes(31)
    await settle()
    (answer,) = office.answers()
    assert read(answer)["error"]["code"] == "timeout"
    asked.open.set()
    assert await office.send(ASK) == ok({})


async def test_a_payload_that_is_no_good_is_told_why_and_whose_it_was(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()))
    largest = 64 * 1024
    assert [await office.send(ASK, payload) for payload in (b"{", b'{"id": "7", "argss": {}}', b"x" * (largest + 1))] == [
        failed("bad_request", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        failed("bad_request", "argss: is not a known key", "7"),
        failed("bad_request", "the payload has 65537 bytes; 65536 are the most"),
    ]
    assert await office.send(ASK, b'{"id": "7"}'.ljust(largest)) == ok({}, "7")


async def test_an_unknown_operation_is_told_what_there_is(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()), write(Asked()), query(Asked(), source="octopus"))
    text = "home has no operation asks; it has: ask, switch"
    assert await office.send("wallbox/home/asks") == failed("unknown_operation", text, operation="home.asks")
    text = "there is no source hom; there is: home, octopus"
    assert await office.send("wallbox/hom/ask", {"id": "7"}) == failed("unknown_operation", text, "7", "hom.ask")
    assert await office.send("wallbox//") == failed(
        "unknown_operation", "there is no source ; there is: home, octopus", None, "."
    )
    text = f"home has no operation {'x' * 64}; it has: ask, switch"
    assert await office.send(f"wallbox/home/{'x' * 500}") == failed("unknown_operation", text, operation=f"home.{'x' * 500}")


@pytest.mark.parametrize(
    "topic",
    [
        "kwh2mqtt/command/wallbox/home",
        "kwh2mqtt/command/wallbox/home/ask/now",
        "kwh2mqtt/command//home/ask",
        "kwh2mqtt/commands/wallbox/home/ask",
        "kwh2mqtt/response/wallbox/home/ask",
        "other/command/wallbox/home/ask",
        f"kwh2mqtt/command/{'x' * 65}/home/ask",
        f"kwh2mqtt/command/{'ü' * 33}/home/ask",
        "kwh2mqtt/command/wallbox/home/a\x01sk",
        f"kwh2mqtt/command/wallbox/home/{'x' * 1024}",
    ],
)
async def test_what_is_no_command_s_topic_or_leaves_none_for_an_answer_is_let_pass(tmp_path: Path, topic: str) -> None:
    from bridge.models.message import Arrival

    asked = Asked()
    office = Office(tmp_path, query(asked))
    office.desk.arrived(Arrival(topic, b""))
    await settle()
    assert (office.published, asked.asked) == ([], [])


async def test_any_name_of_a_client_is_answered(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()))
    for client in ("x" * 64, "ü" * 32, "a b", "*", "$SYS", "..", "{}", "%u"):
        assert await office.send(f"{client}/home/ask") == ok({})


async def test_who_may_not_is_told_how_to_be_granted_it(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), write(asked), grants={"wallbox": ("*",), "button": ("home.switch",)})
    text = 'home.switch is a write: add "home.switch" to allow of [clients.wallbox]'
    assert await office.send("wallbox/home/switch", {"id": "7"}) == failed("not_allowed", text, "7", "home.switch")
    text = 'home.ask is not among its grants: add "home.ask" to allow of [clients.button]'
    assert await office.send("button/home/ask") == failed("not_allowed", text)
    assert asked.asked == []
    assert await office.send(ASK) == ok({})


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"limits": 5}, "args: limits: is not a known key"),
        ({"limit": {}, "device": 5}, "args: device: Input should be a valid string; limit: Input should be a valid integer"),
    ],
)
async def test_arguments_that_are_no_good_are_told_by_name(tmp_path: Path, args: Any, text: str) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    found = await office.send("wallbox/home/switch", {"id": "7", "args": args})
    assert (found, asked.asked) == (failed("bad_request", text, "7", "home.switch"), [])


async def test_an_instant_beyond_all_years_is_a_bad_request(tmp_path: Path) -> None:
    def read_(_: Any) -> Any:
        raise OverflowError("date value out of range")

    office = Office(tmp_path, write(Asked(), read=read_))
    found = await office.send("wallbox/home/switch", {"id": "7"})
    assert found == failed("bad_request", "args: an instant in them lies beyond all years", "7", "home.switch")


async def test_a_dry_run_is_judged_and_nothing_is_sent(tmp_path: Path) -> None:
    office = Office(tmp_path, query(asked := Asked({"n": 1})), write(asked))
    dry = {"id": "7", "dry_run": True}
    assert await office.send(ASK, dry) == ok({}, "7")
    assert await office.send("wallbox/home/switch", dry) == ok({}, "7", "home.switch")
    for errand, body, code in (
        ("other/home/switch", dry, "not_allowed"),
        ("wallbox/home/switch", {**dry, "args": {"limits": 1}}, "bad_request"),
        ("wallbox/home/switch", {"dry_run": True}, "bad_request"),
        ("wallbox/home/none", dry, "unknown_operation"),
    ):
        assert (await office.send(errand, body))["error"]["code"] == code
    assert (asked.asked, office.audit()[1:]) == ([], [])
    assert await office.send("wallbox/home/switch", {"id": "7"}) == ok({"n": 1}, "7", "home.switch")  # the id is still free
