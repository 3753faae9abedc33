"""One Kraken host: a refused token is renewed once, a refused field is a permission, pages are Relay's, writes go once."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bridge.errors import Denied, Malformed, OutcomeUnknown, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.octopus.codes import CODES
from bridge.providers.octopus.kraken import read_page
from bridge.transport.graphql import PathError
from tests.providers.wire import NOON, SIGN_IN, Wire, failure, page

DOCUMENT = "query Thing($first: Int, $after: String) { thing { a } other { b } }"
OTHER = "query Other { other }"
WRITE = "mutation Change($input: Input!) { change(input: $input) { id } }"
GOOD = {"data": {"thing": {"a": 1}}}
EXPIRED = failure("KT-CT-1124", "thing", errorType="APPLICATION")
UNSEEN = failure("KT-CT-1111", "thing", errorType="AUTHORIZATION")
PARTLY = failure("KT-CT-1111", "other", data={"thing": {"a": 1}, "other": None}, errorType="AUTHORIZATION")


def tokens(wire: Wire, about: str = "Thing") -> list[str | None]:
    """Return the token of each request."""
    return [sent.authorization for sent in wire.sent if sent.about == about]


def sign_ins(wire: Wire) -> int:
    return wire.asked().count(SIGN_IN)


async def begun(answers: dict[str, Any], minutes: float = 30) -> Wire:
    """Return a wire whose token is so old."""
    wire = Wire(answers)
    await wire.signing.token()
    wire.clock.set(NOON + timedelta(minutes=minutes))
    return wire


# tokens


async def test_the_token_travels_as_it_is() -> None:
    wire = Wire({"Thing": GOOD})
    assert (await wire.kraken.ask(DOCUMENT)).data == {"thing": {"a": 1}}
    assert tokens(wire) == ["token-1"]


@pytest.mark.parametrize("code", ["KT-CT-1112", "KT-CT-1120", "KT-CT-1124", "KT-CT-1135", "KT-CT-1143", "OE-0103"])
async def test_a_token_that_is_refused_is_renewed_and_the_question_asked_once_more(code: str) -> None:
    wire = await begun({"Thing": [failure(code, "thing"), GOOD]})
    assert (await wire.kraken.ask(DOCUMENT)).data == {"thing": {"a": 1}}
    assert tokens(wire) == ["token-1", "token-2"]


async def test_a_token_that_is_refused_twice_is_told_and_not_tried_for_ever() -> None:
    wire = await begun({"Thing": EXPIRED})
    with pytest.raises(Unauthenticated):
        await wire.kraken.ask(DOCUMENT)
    assert tokens(wire) == ["token-1", "token-2"]
    assert sign_ins(wire) == 2


async def test_a_401_is_a_refused_token_too() -> None:
    wire = await begun({"Thing": [httpx2.Response(401, json={"detail": "no"}), GOOD]})
    assert (await wire.kraken.ask(DOCUMENT)).data == {"thing": {"a": 1}}


async def test_ten_whose_token_was_refused_renew_it_once() -> None:
    wire = await begun({"Thing": lambda sent: EXPIRED if sent.authorization == "token-1" else GOOD})
    found = await asyncio.gather(*(wire.kraken.ask(DOCUMENT) for _ in range(10)))
    assert [result.data for result in found] == [{"thing": {"a": 1}}] * 10
    assert sign_ins(wire) == 2


# permissions


@pytest.mark.parametrize("answer", [UNSEEN, {**UNSEEN, "data": None}, {"errors": UNSEEN["errors"]}])
async def test_a_field_that_is_refused_is_asked_once_more_with_a_new_token_and_is_then_a_permission(answer: Any) -> None:
    wire = await begun({"Thing": answer})
    with pytest.raises(Denied, match="KT-CT-1111"):
        await wire.kraken.ask(DOCUMENT)
    assert tokens(wire) == ["token-1", "token-2"]
    wire.pass_(minutes=30)
    with pytest.raises(Denied):
        await wire.kraken.ask(DOCUMENT)
    assert sign_ins(wire) == 2


async def test_a_field_that_only_the_old_token_could_not_see_is_seen() -> None:
    wire = await begun({"Thing": [UNSEEN, GOOD]})
    assert (await wire.kraken.ask(DOCUMENT)).data == {"thing": {"a": 1}}


async def test_beside_a_field_that_may_not_be_seen_the_rest_is_kept() -> None:
    wire = await begun({"Thing": PARTLY})
    for _ in range(3):
        result = await wire.kraken.ask(DOCUMENT)
        assert result.data == {"thing": {"a": 1}, "other": None}
        assert result.error_at("other") == PathError("No.", "KT-CT-1111", ("other",), "AUTHORIZATION")
        wire.pass_(minutes=5)
    assert tokens(wire) == ["token-1", "token-2", "token-2", "token-2"]


async def test_a_fresh_token_is_not_renewed_for_a_permission() -> None:
    for answer in (UNSEEN, PARTLY):
        wire = await begun({"Thing": answer}, minutes=1)
        await asyncio.gather(wire.kraken.ask(DOCUMENT), return_exceptions=True)
        assert sign_ins(wire) == 1


async def test_what_one_document_may_not_see_says_nothing_of_another() -> None:
    wire = await begun({"Thing": UNSEEN, "Other": [failure("KT-CT-1111", "other"), {"data": {"other": 1}}]})
    with pytest.raises(Denied):
        await wire.kraken.ask(DOCUMENT)
    wire.pass_(minutes=20)
    assert (await wire.kraken.ask(OTHER)).data == {"other": 1}


# what comes back


async def test_an_error_where_nothing_came_is_raised_and_beside_data_is_left_to_the_reader() -> None:
    wire = Wire({"Thing": failure("KT-CT-4301", "thing"), "Other": failure("KT-CT-4301", "x", data={"other": 1, "x": None})})
    with pytest.raises(SourceError, match="KT-CT-4301"):
        await wire.kraken.ask(DOCUMENT)
    assert (await wire.kraken.ask(OTHER)).data == {"other": 1, "x": None}
    assert (await Wire({"Thing": {"data": {"thing": None}}}).kraken.ask(DOCUMENT)).data == {"thing": None}


async def test_too_many_requests_hold_everything_back_but_for_what_has_a_limit_of_its_own() -> None:
    limited = failure("KT-CT-1199", "thing")
    for alone, pauses in ((False, 1), (True, 0)):
        wire = Wire({"Thing": limited})
        with pytest.raises(RateLimited):
            await wire.kraken.ask(DOCUMENT, alone=alone)
        assert len(wire.meter.paused) == pauses


def test_every_code_that_has_a_meaning_is_known_to_the_provider() -> None:
    from tests.support import FACTS

    file: Path = FACTS / "providers" / "fixtures" / "octopus" / "error_codes.json"
    if not file.exists():
        pytest.skip("the folder of facts is not here")
    assert CODES.keys() - json.loads(file.read_text()).keys() == set()


# pages


def connection(*nodes: int, cursor: str | None = None, **info: Any) -> Any:
    return {"data": {"thing": {"list": page([{"n": number} for number in nodes], cursor, **info)}}}


async def listed(wire: Wire) -> list[Any]:
    return [node["n"] for node in await wire.kraken.nodes(DOCUMENT, ("thing", "list"))]


async def test_nodes_come_page_by_page_with_first_below_a_hundred() -> None:
    wire = Wire({"Thing": [connection(1, 2, cursor="YXJy"), connection(3, cursor="YXJz", hasPreviousPage=False), connection()]})
    assert await listed(wire) == [1, 2, 3]
    assert [sent.given for sent in wire.sent if sent.about == "Thing"] == [
        {"first": 99, "after": after} for after in (None, "YXJy", "YXJz")
    ]


@pytest.mark.parametrize("before", [True, False, None])
async def test_whether_there_is_a_previous_page_says_nothing(before: object) -> None:
    assert await listed(Wire({"Thing": connection(1, hasPreviousPage=before)})) == [1]
    assert await listed(Wire({"Thing": [connection(1, cursor="a", hasPreviousPage=before), connection(2)]})) == [1, 2]


async def test_a_cursor_at_the_end_is_not_followed() -> None:
    assert await listed(Wire({"Thing": connection(1, endCursor="YXJy")})) == [1]
    assert await listed(Wire({"Thing": {"data": {"thing": {"list": {"edges": [{"node": {"n": 1}}]}}}}})) == [1]


async def test_a_cursor_that_comes_again_is_malformed() -> None:
    following = {None: "a", "a": "b", "b": "a"}
    for pages, requests in (
        ([connection(1, cursor="a")], 2),
        (lambda sent: connection(1, cursor=following[sent.given["after"]]), 3),
    ):
        wire = Wire({"Thing": pages})
        with pytest.raises(Malformed, match="the pages of list do not move on: the cursor came twice"):
            await listed(wire)
        assert wire.asked().count("Thing") == requests


@pytest.mark.parametrize("cursor", [None, "", 5])
async def test_a_page_that_says_that_there_is_more_and_not_where_is_malformed(cursor: object) -> None:
    with pytest.raises(Malformed, match="a page of list says that there is more, and not where"):
        await listed(Wire({"Thing": connection(1, hasNextPage=True, endCursor=cursor)}))


async def test_pages_without_end_are_given_up() -> None:
    numbers = iter(range(1000))
    with pytest.raises(Malformed, match="there are more than 200 pages of list"):
        await listed(Wire({"Thing": lambda _: connection(1, cursor=f"c{next(numbers)}")}))


def test_odd_edges_are_passed_over() -> None:
    edges = [None, 5, {}, {"node": None}, {"node": {"n": 1}}, {"node": [1]}]
    assert read_page({"list": {"edges": edges}}, ("list",)) == ([{"n": 1}], None)


@pytest.mark.parametrize(
    "data", [{}, {"thing": None}, {"thing": {"list": None}}, {"thing": {"list": []}}, {"thing": {"list": {}}}]
)
def test_where_there_is_no_page_the_answer_is_malformed(data: Any) -> None:
    with pytest.raises(Malformed, match="the answer holds no page of list"):
        read_page(data, ("thing", "list"))


async def test_where_a_page_was_refused_the_reason_is_told() -> None:
    wire = Wire({"Thing": failure("KT-CT-4301", "thing", "list", data={"thing": {"list": None}})})
    with pytest.raises(SourceError, match="KT-CT-4301"):
        await listed(wire)


# writes


async def test_a_write_goes_once_whatever_comes_back() -> None:
    answers: list[tuple[Any, type[SourceError]]] = [
        (failure("KT-CT-4357", "change"), Refused),
        (failure("KT-CT-1124", "change"), Unauthenticated),
        (failure("KT-CT-1111", "change"), Denied),
        (failure("KT-CT-9999", "change"), OutcomeUnknown),
        (failure("KT-CT-1111", "change", "id", data={"change": {"id": None}}), OutcomeUnknown),
        (httpx2.Response(502, text="<html>"), OutcomeUnknown),
        (OSError("away"), OutcomeUnknown),
        (httpx2.ConnectError("away"), Unreachable),
    ]
    for answer, error in answers:
        wire = await begun({"Change": answer})
        with pytest.raises(error):
            await wire.kraken.write(WRITE, input={})
        assert tokens(wire, "Change") == ["token-1"]
