"""What both schemas' own scalars take and give: instants as texts with `Z`, rtIds, and any JSON at all."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, build_schema

RT_ID = re.compile(r"[0-9a-fA-F]{24}")


def schema(sdl: str, *, strict_ids: bool) -> GraphQLSchema:
    """Return the schema of an SDL; with `strict_ids`, what is no rtId is refused before anything is executed."""
    built = build_schema(sdl)
    _take(built, "DateTime", instant, stamp)
    if strict_ids:
        _take(built, "OctoObjectId", _rt_id, str)
    return built


def _take(schema: GraphQLSchema, name: str, parse: Callable[[Any], Any], serialize: Callable[[Any], Any]) -> None:
    scalar = schema.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)
    vars(scalar).update(coerce_input_value=parse, coerce_output_value=serialize)
    vars(scalar).update(parse_value=parse, serialize=serialize)  # as graphql-core 3.2 calls them


def instant(text: object) -> datetime:
    """Return the instant of an ISO text, in UTC where it has no offset."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        message = f"Unable to convert '{text}' to 'DateTime'"
        raise GraphQLError(message) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rt_id(text: object) -> str:
    if isinstance(text, str) and RT_ID.fullmatch(text):
        return text.lower()
    message = f"Unable to convert '{text}' to 'OctoObjectId'"
    raise GraphQLError(message)
