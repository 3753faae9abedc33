"""What was recorded of Kraken's errors, and every code that is known anywhere: each is one of ours and has a code."""

import json
from typing import Any

import pytest

from bridge.errors import Denied, Failed, NotFound, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.octopus import codes
from bridge.transport.graphql import PathError
from bridge.transport.http import Answer, judged
from tests.providers.wire import Wire
from tests.support import FACTS

FOLDER = FACTS / "providers" / "fixtures" / "octopus"
CONTRACT = (  # what commands are answered with
    "bad_request unknown_operation not_allowed expired retained rate_limited unauthenticated not_found refused"
    " unavailable timeout outcome_unknown internal"
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of facts is not here")


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


RECORDED: list[tuple[str, type[SourceError]]] = [
    ("bad_api_key__HA_issue_1731_2026-06-25", Unauthenticated),
    ("rate_limited__HA_issue_1731_2026-06-25", RateLimited),
    ("unauthorized__HA_issue_885_2024-05-25", Denied),
    ("jwt_expired__marco-sparko_2024", Unauthenticated),
    ("no_auth_header__official_docs", Unauthenticated),
]


@pytest.mark.parametrize(("name", "kind"), RECORDED)
async def test_a_recorded_error_is_one_of_ours(name: str, kind: type[SourceError]) -> None:
    [error] = recorded("errors_recorded")[name]
    wire = Wire({"Thing": {"data": {error["path"][0]: None}, "errors": [error]}})
    with pytest.raises(kind) as caught:
        await wire.kraken.ask("query Thing { thing }")
    assert str(caught.value).endswith(f"({error['extensions']['errorCode']})")
    assert str(caught.value).startswith(error["message"])


@pytest.mark.parametrize(
    ("name", "status", "kind"), [("rest_404", 404, NotFound), ("rest_500__HA_issue_1190_2025-01-28", 500, Unreachable)]
)
def test_a_recorded_error_of_rest_is_one_of_ours(name: str, status: int, kind: type[SourceError]) -> None:
    body = recorded("errors_recorded")[name]
    with pytest.raises(kind, match=body["detail"]):
        judged(Answer(status, "application/json", json.dumps(body)), str)


def test_every_recorded_error_is_looked_at() -> None:
    names = {"_note", "rest_404", "rest_500__HA_issue_1190_2025-01-28", *(name for name, _ in RECORDED)}
    assert recorded("errors_recorded").keys() == names


def test_a_code_counts_before_its_class() -> None:
    wire = Wire()
    for kind in ("AUTHORIZATION", "VALIDATION", "APPLICATION", None):
        assert type(wire.graphql.error(PathError("no", "KT-CT-1199", (), kind))) is RateLimited
        assert type(wire.graphql.error(PathError("no", "KT-CT-1138", (), kind))) is Unauthenticated


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Cannot query field 'isExport' on type 'TariffType'.", codes.Outdated),
        ("Unknown argument 'deviceId' on field 'Query.devices'.", codes.Outdated),
        ("Unknown type 'SmartControlInput'.", codes.Outdated),
        ("Field 'x' is not defined by type 'Y'.", codes.Outdated),
        ("Unauthorized.", Denied),
        ("Invalid data.", Refused),
        ("Something went wrong.", Failed),
    ],
)
def test_a_document_that_fits_no_longer_is_told_by_its_words(message: str, kind: type[SourceError]) -> None:
    assert type(Wire().graphql.error(PathError(message, None, ()))) is kind


def test_every_code_that_is_known_anywhere_becomes_an_error_with_a_code_of_the_contract() -> None:
    known, wire = recorded("error_codes"), Wire()
    assert len(known) == 345
    told = {code: wire.graphql.error(PathError(text, code, ())) for code, text in known.items()}
    assert {error.code for error in told.values()} <= set(CONTRACT.split())
    assert {code: type(told[code]) for code in codes.CODES} == dict(codes.CODES)
    unauthorised = {code for code, text in known.items() if text.startswith("Unauthorized.")} - codes.CODES.keys()
    assert {type(told[code]) for code in unauthorised} == {Denied}
    assert all(str(told[code]).endswith(f"({code})") for code in known)
