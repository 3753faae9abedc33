"""`[sources.mesh]`: what addresses come to, what is taken, and that what is wrong is named with the mend and without a secret."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.providers.base import secrets
from bridge.providers.octomesh.filters import Condition, Every
from bridge.providers.octomesh.settings import OctoMeshSettings

GIVEN = {
    "provider": "octomesh",
    "url": "https://assets.example.com",
    "identity_url": "https://connect.example.com",
    "tenant": "my-tenant",
    "client_id": "box",
    "client_secret": "very-secret",
}
METER = "Industry.Energy/EnergyMeter"


def settings(**changes: Any) -> OctoMeshSettings:
    return OctoMeshSettings.model_validate({**GIVEN, **changes})


@pytest.mark.parametrize(
    ("url", "graphql", "rest"),
    [
        ("https://a.example", "https://a.example/tenants/my-tenant/graphql", "https://a.example"),
        ("https://a.example/", "https://a.example/tenants/my-tenant/graphql", "https://a.example"),
        ("https://a.example/octo", "https://a.example/octo/tenants/my-tenant/graphql", "https://a.example/octo"),
        ("https://a.example/tenants/x/GraphQL", "https://a.example/tenants/x/GraphQL", "https://a.example"),
    ],
)
def test_a_bare_host_is_made_an_address_and_a_whole_one_is_taken_as_it_is(url: str, graphql: str, rest: str) -> None:
    given = settings(url=url)
    assert (given.graphql_url, given.rest_url) == (graphql, rest)


def test_the_documents_limit_is_the_budget_and_a_poll_is_due_every_five_minutes() -> None:
    given = settings()
    assert (given.budget.requests, given.budget.seconds, given.every.total_seconds()) == (100, 60, 300)


def test_the_secret_is_known_as_one_and_in_no_identity() -> None:
    given = settings()
    assert list(secrets(given)) == ["very-secret"]
    assert "very-secret" not in given.identity()


def test_ids_and_names_are_conditions_like_any_other() -> None:
    entity = {"type": METER, "rt_ids": ["65f1"], "well_known_names": ["a", "b"], "filter": {"name": {"eq": "x"}}}
    (given,) = settings(entities=[entity]).entities
    wanted = (Condition("name", "eq", "x"), Condition("rtId", "in", ["65f1"]), Condition("wellKnownName", "in", ["a", "b"]))
    assert given.wanted == Every(wanted)


def test_a_variable_of_the_environment_holds_the_entities_as_json() -> None:
    (given,) = settings(entities='[{"type": "Industry.Energy/EnergyMeter"}]').entities
    assert given.type == METER


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"url": "http://assets.example.com"}, "must begin with https://"),
        ({"client_secret": " "}, "leave it out where a person signs in"),
        ({"client_secret": None, "flow": "client_credentials"}, "needs a client_secret"),
        ({"tenant": "a/b"}, "must be the id of a tenant"),
        ({"dialect": "old"}, "'auto', 'documented' or 'actual'"),
        ({"timezone": "Vienna"}, "is not a known time zone"),
        ({"entities": [{"type": "EnergyMeter"}]}, "such as Industry.Energy/EnergyMeter"),
        ({"entities": [{"type": METER, "attributes": ["a b"]}]}, "must be the name of an attribute"),
        ({"entities": [{"type": METER, "stream_attributes": ["power"]}]}, "name it in stream, or leave them out"),
        ({"entities": [{"type": METER, "filter": {"name": {"like": "x"}}}]}, "there is no operator like"),
        ({"entities": [{"type": METER, "rt_ids": ["../x"]}]}, "must be the id of an entity"),
        ({"poll_seconds": 5}, "greater than or equal to 60"),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told) as caught:
        settings(**changes)
    assert "very-secret" not in str(caught.value)
