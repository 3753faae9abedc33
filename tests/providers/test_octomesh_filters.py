"""Filters: how they are read, what they let through here, and that no wrong one is taken."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.octomesh.filters import Condition, Every, Some, conjuncts, holds, read

ROW = {"name": "Main Meter", "power": Decimal("12.5"), "on": True, "status": "Active", "rtId": "65f1"}


def lets_through(filter_: dict[str, Any]) -> bool:
    return holds(read(filter_), ROW.get)


@pytest.mark.parametrize(
    "filter_",
    [
        {"name": {"eq": "Main Meter"}},
        {"name": {"neq": "main meter"}},
        {"name": {"contains": "METER"}},
        {"name": {"startsWith": "Main", "endsWith": "Meter"}},
        {"power": {"eq": 12.5}},
        {"power": {"gt": 12, "lt": 13}},
        {"power": {"gte": 12.5, "lte": 12.5}},
        {"power": {"in": [1, 12.5]}},
        {"on": {"eq": True}},
        {"rt_id": {"eq": "65f1"}},
        {"nothing": {"neq": 1}},
        {"OR": [{"power": {"lt": 0}}, {"status": {"eq": "Active"}}]},
        {"AND": [{"status": {"eq": "Active"}}, {"OR": [{"name": {"contains": "x"}}, {"name": {"contains": "main"}}]}]},
    ],
)
def test_a_filter_lets_through_what_meets_it(filter_: dict[str, Any]) -> None:
    assert lets_through(filter_)


@pytest.mark.parametrize(
    "filter_",
    [
        {"name": {"eq": "main meter"}},
        {"name": {"startsWith": "main"}},
        {"name": {"gt": 3}},
        {"power": {"contains": "12"}},
        {"power": {"gt": 12.5}},
        {"on": {"eq": 1}},
        {"on": {"gt": False}},
        {"nothing": {"eq": "x"}},
        {"nothing": {"lt": 5}},
        {"OR": [{"power": {"lt": 0}}, {"status": {"eq": "active"}}]},
    ],
)
def test_and_nothing_else(filter_: dict[str, Any]) -> None:
    assert not lets_through(filter_)


@pytest.mark.parametrize(
    ("filter_", "told"),
    [
        ({}, "must be an object such as"),
        ({"name": "x"}, "name must be an object"),
        ({"name": {}}, "name must be an object"),
        ({"name": {"like": "x"}}, "name: there is no operator like; there is: eq, neq"),
        ({"name": {"in": []}}, "in wants a list"),
        ({"name": {"eq": None}}, "texts, numbers and truth values only"),
        ({"name": {"eq": {"a": 1}}}, "texts, numbers and truth values only"),
        ({"power": {"lt": float("inf")}}, "texts, numbers and truth values only"),
        ({"name": {"contains": 3}}, "contains wants a text"),
        ({"OR": []}, "OR must be a list of filters"),
        ({"OR": [{"name": {"eq": "x"}}] * 51}, "more than 50 conditions"),
        ({"OR": [{"OR": [{"OR": [{"OR": [{"OR": [{"OR": [{"OR": [{"OR": [{"a": {"eq": 1}}]}]}]}]}]}]}]}]}, "nested too deeply"),
    ],
)
def test_what_is_no_filter_is_refused_and_the_place_is_told(filter_: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(filter_)


def test_what_stands_side_by_side_must_all_hold() -> None:
    assert conjuncts(read({"a": {"gt": 1, "lt": 5}, "AND": [{"b": {"eq": 2}}, {"OR": [{"c": {"eq": 3}}]}]})) == [
        Condition("a", "gt", 1),
        Condition("a", "lt", 5),
        Condition("b", "eq", 2),
        Some((Condition("c", "eq", 3),)),
    ]


CONDITIONS = st.builds(
    Condition, st.sampled_from("ab"), st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte"]), st.integers(-2, 2)
)
FILTERS = st.recursive(
    CONDITIONS, lambda inner: st.builds(Every, st.tuples(inner, inner)) | st.builds(Some, st.tuples(inner, inner)), max_leaves=8
)


@given(filter_=FILTERS, a=st.integers(-2, 2), b=st.none() | st.integers(-2, 2))
def test_a_filter_taken_apart_holds_where_the_whole_does(filter_: Any, a: int, b: int | None) -> None:
    row = {"a": a, "b": b}
    assert holds(filter_, row.get) == all(holds(part, row.get) for part in conjuncts(filter_))


@given(value=st.integers(-2, 2), found=st.integers(-2, 2))
def test_an_operator_and_its_opposite_never_agree(value: int, found: int) -> None:
    for one, other in (("eq", "neq"), ("gt", "lte"), ("lt", "gte")):
        both = [holds(Condition("a", operator, value), lambda _: found) for operator in (one, other)]
        assert both[0] is not both[1]
