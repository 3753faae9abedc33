"""The errors of both vocabularies: those that the document lists, and those of the published server."""

from enum import StrEnum

from graphql import GraphQLError


class Dialect(StrEnum):
    """Which of the two published GraphQL shapes a server speaks."""

    DOCUMENTED = "documented"
    ACTUAL = "actual"


INVALID, DATA_STORE, COMMON, DELETE_IN_CREATE, NOT_FOUND = "ASSET1000", "ASSET1001", "ASSET1002", "ASSET1003", "ASSET1004"


def documented(code: str, message: str, **details: object) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code, **({"details": details} if details else {})})


def not_found(name: str, value: str) -> GraphQLError:
    return documented("ENTITY_NOT_FOUND", "Entity not found", **{name: value})


def asset(code: str, message: str, *details: str) -> GraphQLError:
    """Return an error of the published server, which says in `OctoDetails` what was wrong."""
    told = {"OctoDetails": [{"message": each} for each in details]} if details else {}
    return GraphQLError(message, extensions={"code": code, **told})
