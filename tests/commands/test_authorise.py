"""Who may do what: a query is open unless grants are written down, a write only where one names it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.authorise import Grants, is_allowed, refusal
from bridge.providers.base import Kind

QUERY, WRITE = Kind.QUERY, Kind.WRITE


def may(kind: Kind, grants: Grants, client: str = "wallbox", name: str = "home.ask") -> bool:
    source, operation = name.split(".")
    return is_allowed(client, source, operation, kind, grants)


def test_without_grants_every_client_may_query_and_none_may_write() -> None:
    assert (may(QUERY, {}), may(WRITE, {})) == (True, False)


@pytest.mark.parametrize(
    "grants",
    [
        {"wallbox": ("home.ask",)},
        {"wallbox": ("home.*",)},
        {"wallbox": ("*",)},
        {"*": ("home.ask",)},
        {"*": ("home.*",)},
        {"*": ("*",)},
        {"*": ("home.ask",), "wallbox": ()},
        {"*": ("home.ask",), "wallbox": ("home.other",)},
        {"button": ("home.other",)},  # these are another's
        {"button": ()},
    ],
)
def test_a_query_that_is_granted_to_the_client_or_to_all_is_open_and_so_is_every_one_where_nothing_is_written(
    grants: Grants,
) -> None:
    assert may(QUERY, grants)


@pytest.mark.parametrize(
    "grants",
    [
        {"wallbox": ()},
        {"wallbox": ("home.other",)},
        {"wallbox": ("other.ask",)},
        {"wallbox": ("other.*",)},
        {"*": ()},
        {"*": ("home.other",)},
        {"*": ("home.other",), "button": ("home.ask",)},
    ],
)
def test_where_grants_are_written_for_a_client_or_for_all_they_are_all_that_it_may_query(grants: Grants) -> None:
    assert not may(QUERY, grants)


@pytest.mark.parametrize("grants", [{"wallbox": ("home.ask",)}, {"*": ("home.ask",)}, {"wallbox": ("home.*", "home.ask")}])
def test_a_write_that_is_granted_by_its_name_may_be_done(grants: Grants) -> None:
    assert may(WRITE, grants)


@pytest.mark.parametrize(
    "grants",
    [
        {"wallbox": ("*",)},
        {"wallbox": ("home.*",)},
        {"*": ("*", "home.*")},
        {"wallbox": ("*", "home.*"), "*": ("*", "home.*")},
        {"wallbox": ("home.asks", "home.as", "home.", "homes.ask", "HOME.ASK")},
        {"button": ("home.ask",)},
        {"wallbox2": ("home.ask",)},
        {"Wallbox": ("home.ask",)},
    ],
)
def test_no_wildcard_and_nothing_alike_grants_a_write(grants: Grants) -> None:
    assert not may(WRITE, grants)


@pytest.mark.parametrize("client", ["*", "home.ask", "", "wallbox ", "#"])
def test_no_name_of_a_client_makes_it_somebody_else(client: str) -> None:
    assert may(WRITE, {"wallbox": ("home.ask",)}, client) is False


def test_the_client_that_is_called_as_all_are_may_do_what_all_may() -> None:
    assert may(WRITE, {"*": ("home.ask",)}, "*") is True
    assert may(WRITE, {"*": ("*",)}, "*") is False


names = st.sampled_from(["home.ask", "home.*", "*", "home.switch", "octopus.ask", "octopus.*"])
clients = st.sampled_from(["wallbox", "button", "*"])


@given(clients, names.filter(lambda name: "*" not in name), st.dictionaries(clients, st.lists(names)))
def test_a_write_is_allowed_exactly_where_it_is_named(client: str, name: str, grants: dict[str, list[str]]) -> None:
    assert may(WRITE, grants, client, name) is (name in [*grants.get(client, []), *grants.get("*", [])])


@pytest.mark.parametrize(
    ("client", "kind", "text"),
    [
        ("wallbox", WRITE, 'home.ask is a write: add "home.ask" to allow of [clients.wallbox]'),
        ("wallbox-2_b", QUERY, 'home.ask is not among its grants: add "home.ask" to allow of [clients.wallbox-2_b]'),
        ("my wallbox", QUERY, 'home.ask is not among its grants: add "home.ask" to allow of [clients."my wallbox"]'),
        ("*", WRITE, 'home.ask is a write: add "home.ask" to allow of [clients."*"]'),
        ("küche", WRITE, 'home.ask is a write: add "home.ask" to allow of [clients."küche"]'),
    ],
)
def test_a_refusal_names_the_mend(client: str, kind: Kind, text: str) -> None:
    assert refusal(client, "home", "ask", kind) == text
