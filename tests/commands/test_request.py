"""A command as it came: its body, where its answer goes, and what is told of one that is no good."""

import json
from datetime import timedelta

import pytest

from bridge.commands.request import Body, Reply, body_of, deadline, id_in, reply_to
from bridge.errors import BadRequest, CommandError, Expired, WasRetained
from bridge.models.message import Arrival
from bridge.topics import Errand
from tests.commands.office import NOW, TOPICS

TOPIC = "kwh2mqtt/command/wallbox/home/ask"
USUAL = "kwh2mqtt/response/wallbox/home/ask"
ERRAND = Errand("wallbox", "home", "ask")
LARGEST = 64 * 1024
SECOND = timedelta(seconds=1)


def body(payload: bytes, expires_in_s: int | None = None) -> Body:
    return body_of(Arrival(TOPIC, payload, expires_in_s=expires_in_s), NOW)


def refused(payload: bytes) -> str:
    with pytest.raises(BadRequest) as caught:
        body(payload)
    assert caught.value.code == "bad_request"
    return str(caught.value)


def reply(response_topic: str | None, correlation: bytes | None = None, qos: int = 1) -> tuple[Reply, str | None]:
    arrival = Arrival(TOPIC, b"", qos, response_topic=response_topic, correlation=correlation)
    found, error = reply_to(arrival, ERRAND, TOPICS)
    return found, str(error) if error else None


# the body


@pytest.mark.parametrize("payload", [b"", b"  \n", b"{}"])
def test_an_empty_payload_is_an_empty_object(payload: bytes) -> None:
    assert body(payload) == Body(id=None, expires_at=None, dry_run=False, args={})


def test_all_that_may_stand_in_a_payload() -> None:
    payload = b'{"id": "7", "expires_at": "2026-06-10T12:05:01+02:00", "dry_run": true, "args": {"a": [1, null]}}'
    assert body(payload) == Body(id="7", expires_at=NOW + SECOND, dry_run=True, args={"a": [1, None]})


@pytest.mark.parametrize("id_", ["7", "x" * 64, "ü" * 64, "a b", "🚗" * 64])
def test_an_id_has_1_to_64_characters(id_: str) -> None:
    assert body(json.dumps({"id": id_}).encode()).id == id_


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"id": ""}', "id: String should have at least 1 character"),
        (b'{"id": "' + b"x" * 65 + b'"}', "id: String should have at most 64 characters"),
        (b'{"id": 7}', "id: Input should be a valid string"),
        (b'{"ids": "7", "arg": {}}', "ids: is not a known key; arg: is not a known key"),
        (b'{"args": []}', "args: Input should be an object"),
        (b'{"args": null}', "args: Input should be an object"),
        (b'{"dry_run": "perhaps"}', "dry_run: Input should be a valid boolean, unable to interpret input"),
        (b'{"expires_at": "soon"}', "expires_at: Input should be a valid datetime or date, input is too short"),
        (b'{"expires_at": "2026-06-10T12:00:00"}', "expires_at: Input should have timezone info"),
        (b'{"expires_at": "0001-01-01T00:00:00+10:00"}', "expires_at: lies beyond all years"),
        (b"[]", "Input should be an object"),
        (b'"7"', "Input should be an object"),
        (b"null", "Input should be an object"),
        (b"{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (b'{"id": "7"} {}', "Invalid JSON: trailing characters at line 1 column 13"),
        (b"\x00\x01", "Invalid JSON: expected value at line 1 column 1"),
        (b'{"id": "\xff"}', "Invalid JSON: invalid unicode code point at line 1 column 9"),
        (b'{"id": "\\ud800"}', "Invalid JSON: unexpected end of hex escape at line 1 column 15"),
        (b'{"args": {"a": NaN}}', "args: a number in it is none that JSON can hold"),
        (b'{"args": {"a": [{"b": 1e999}]}}', "args: a number in it is none that JSON can hold"),
        (b'{"args": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}", "Invalid JSON: recursion limit exceeded at line 1 column 215"),
        (b'{"args": {"a": ' + b"9" * 5000 + b"}}", "Invalid JSON: number out of range at line 1 column 4317"),
    ],
)
def test_what_is_wrong_with_a_payload_is_told(payload: bytes, text: str) -> None:
    assert refused(payload) == text


def test_unknown_keys_are_told_by_name_but_no_more_than_anybody_reads() -> None:
    keys = {f"key-{number}": "a value" for number in range(1000)} | {"k" * 1000: 1}
    text = refused(json.dumps(keys).encode())
    assert text.startswith("key-0: is not a known key; key-1: is not a known key; ")
    assert (len(text), text[-1], "a value" in text) == (301, "…", False)


def test_no_value_of_a_payload_is_repeated() -> None:
    assert "sesame" not in refused(b'{"id": ["sesame"], "expires_at": "sesame", "dry_run": "sesame", "args": "sesame"}')


def test_64_kib_are_the_most() -> None:
    largest = b'{"args": {"a": "' + b"x" * (LARGEST - 19) + b'"}}'
    assert (len(largest), len(body(largest).args["a"])) == (LARGEST, LARGEST - 19)
    assert refused(largest + b" ") == "the payload has 65537 bytes; 65536 are the most"


# what comes too late


@pytest.mark.parametrize("seconds", [-86400 * 365, -1, 0])
def test_what_expired_is_told_when(seconds: int) -> None:
    end = NOW + seconds * SECOND
    with pytest.raises(Expired) as caught:
        body(json.dumps({"expires_at": end.isoformat()}).encode())
    assert str(caught.value) == f"it expired at {end:%Y-%m-%dT%H:%M:%SZ}, and it is 2026-06-10T10:05:00Z"


def test_a_message_whose_expiry_is_over_is_expired() -> None:
    assert body(b"", 1) == Body()
    with pytest.raises(Expired, match=r"^its message expiry is over$"):
        body(b"", 0)


def test_what_was_retained_is_refused_whatever_it_says() -> None:
    for payload in (b"", b"{}", b"no JSON", b"x" * (LARGEST + 1), b'{"expires_at": "2020-01-01T00:00:00Z"}'):
        with pytest.raises(WasRetained) as caught:
            body_of(Arrival(TOPIC, payload, retained=True), NOW)
        assert isinstance(caught.value, CommandError)
        assert str(caught.value) == (
            "a retained command is not carried out: send it without the retain flag, and clear it with an empty one"
        )


@pytest.mark.parametrize(
    ("expires_at", "expires_in_s", "seconds"),
    [(None, None, 30), (10, None, 10), (None, 5, 5), (10, 5, 5), (3, 5, 3), (90, 2**32 - 1, 30)],
)
def test_an_answer_is_worth_something_until_the_first_of_three_ends(
    expires_at: int | None, expires_in_s: int | None, seconds: int
) -> None:
    given = Body(expires_at=None if expires_at is None else NOW + expires_at * SECOND)
    arrival = Arrival(TOPIC, b"", expires_in_s=expires_in_s)
    assert deadline(given, arrival, NOW, 30 * SECOND) == NOW + seconds * SECOND


# where the answer goes


def test_an_answer_goes_to_the_usual_topic_with_the_request_s_own_qos() -> None:
    for qos in (0, 1, 2):
        assert reply(None, qos=qos) == (Reply(USUAL, "home.ask", qos, None), None)


@pytest.mark.parametrize(
    "topic", [USUAL, "kwh2mqtt/response/wallbox/x", "kwh2mqtt/response/wallbox/a/b/c/d", "kwh2mqtt/response/wallbox//"]
)
def test_a_response_topic_of_the_client_s_own_is_taken_with_the_correlation(topic: str) -> None:
    assert reply(topic, b"\x00\xff") == (Reply(topic, "home.ask", 1, b"\x00\xff"), None)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "kwh2mqtt",
        "kwh2mqtt/response",
        "kwh2mqtt/response/wallbox",
        "kwh2mqtt/response/wallbox/",
        "kwh2mqtt/response/wallbox2",
        "kwh2mqtt/response/wallbox2/x",
        "kwh2mqtt/response/wallbo/x",
        "kwh2mqtt/response/Wallbox/x",
        "kwh2mqtt/response/button/home/ask",
        "kwh2mqtt/response//wallbox/x",
        "kwh2mqtt/response/wallbox/../button/x",
        "kwh2mqtt/response/wallbox/x/..",
        "kwh2mqtt/response/wallbox/+",
        "kwh2mqtt/response/wallbox/#",
        "kwh2mqtt/response/wallbox/a+b/c",
        "kwh2mqtt/response/wallbox/\x00",
        "kwh2mqtt/response/wallbox/\n",
        "kwh2mqtt/response/wallbox/\x85",
        "kwh2mqtt/response/wallbox/\ufffe",
        "kwh2mqtt/response/wallbox/" + "x" * 1000,
        "kwh2mqtt/response/wallbox/" + "x/" * 100,
        " kwh2mqtt/response/wallbox/x",
        "/kwh2mqtt/response/wallbox/x",
        "response/wallbox/x",
        "KWH2MQTT/response/wallbox/x",
        "kwh2mqtt/command/wallbox/home/ask",
        "kwh2mqtt/bridge/state",
        "$SYS/broker",
        "homeassistant/status",
    ],
)
def test_any_other_is_refused_on_the_usual_topic_with_the_correlation(topic: str) -> None:
    usual = Reply(USUAL, "home.ask", 1, b"c")
    assert reply(topic, b"c") == (usual, "the response topic must lie below kwh2mqtt/response/wallbox/")


@pytest.mark.parametrize("correlation", [None, b"", b"\x00" * 100, b"seven"])
def test_where_an_answer_goes_is_written_down_and_read_again(correlation: bytes | None) -> None:
    given = Reply("kwh2mqtt/response/küche/x", "home.switch", 2, correlation)
    assert Reply.decoded(given.encoded()) == given


# whose answer it is


@pytest.mark.parametrize(
    ("payload", "id_"),
    [
        (b'{"id": "7", "unknown": 1}', "7"),
        (b'{"id": "7", "args": NaN}', "7"),
        (b'{"id": "' + b"x" * 65 + b'"}', None),
        (b'{"id": ""}', None),
        (b'{"id": 7}', None),
        (b'{"id": "a\\nb"}', None),
        (b'{"id": "\\ud800"}', None),
        (b'["id"]', None),
        (b'{"id": "7"', None),
        (b"[" * 60_000, None),
        (b"9" * 5000, None),
        (b"\xff\xfe", None),
        (b"", None),
        (b'{"id": "7", "args": {"a": "' + b"x" * LARGEST + b'"}}', None),
    ],
)
def test_the_id_of_a_payload_that_is_no_good_is_found_where_it_can_be(payload: bytes, id_: str | None) -> None:
    assert id_in(payload) == id_
