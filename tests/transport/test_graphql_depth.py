"""Mutations that stand below the root, statuses that mean more than they say, and reasons as OctoMesh tells them."""

from typing import Any

import httpx2
import pytest

from bridge.errors import Denied, OutcomeUnknown, Refused, SourceError
from bridge.redact import Redactor
from bridge.transport.graphql import GraphQL
from bridge.transport.http import Http
from tests.support import Impatient, Uncounted, utc

NOON = utc("2026-06-10T12:00:00")


def endpoint(answer: object, status: int = 200, **about: Any) -> GraphQL:
    redact = Redactor(["planted-secret"])
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, json=answer))
    http = Http(Uncounted(), Impatient(NOON), redact, transport=transport)
    return GraphQL(http, "https://mesh.example.com/graphql", redact, codes={"ASSET1004": Refused}, **about)


def answered(data: object, **extensions: Any) -> dict[str, Any]:
    return {
        "data": data,
        "errors": [{"message": "no", "path": ["runtime", "q0"], "extensions": {"code": "ASSET1004", **extensions}}],
    }


@pytest.mark.parametrize(
    ("data", "depth", "kind"),
    [
        ({"runtime": {"q0": None}}, 2, Refused),
        ({"runtime": None}, 2, Refused),
        ({"runtime": {"meters": {"q0": None}}}, 3, Refused),
        ({"runtime": {"q0": None}}, 1, OutcomeUnknown),
        ({"runtime": {"q0": {"rtId": None}}}, 2, OutcomeUnknown),
        ({"runtime": {"meters": {"q0": []}}}, 3, OutcomeUnknown),
    ],
)
async def test_a_mutation_that_came_to_nothing_where_it_stands_was_refused(
    data: object, depth: int, kind: type[SourceError]
) -> None:
    with pytest.raises(SourceError) as caught:
        await endpoint(answered(data)).mutate("mutation { x }", {}, {}, depth=depth)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("extensions", "reasons"),
    [
        ({"OctoDetails": [{"message": "power is missing"}, {"other": 1}, "odd"]}, ("power is missing",)),
        ({"details": {"rtId": "invalid-id"}}, ("rtId: invalid-id",)),
        ({"details": "a text"}, ("no",)),
        ({"OctoDetails": [{"message": "of planted-secret"}]}, ("of ***",)),
    ],
)
async def test_the_details_of_an_error_are_its_reasons(extensions: dict[str, Any], reasons: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as caught:
        await endpoint(answered(None, **extensions)).query("{ x }", {}, {})
    assert caught.value.reasons == reasons


async def test_a_status_means_what_the_provider_says_that_it_means() -> None:
    meant = endpoint({"message": "planted-secret"}, 403, statuses={403: (Denied, "look at tenant")})
    for asked in (meant.query, meant.mutate):
        with pytest.raises(Denied, match="the provider answered 403: look at tenant") as caught:
            await asked("{ x }", {}, {})
        assert "planted-secret" not in "".join(caught.value.reasons)
