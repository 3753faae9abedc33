"""Asks what the profile says, page after page, and tells what Apollo's errors mean.

A field that the API no longer has is a fault of the profile and no reason to ask again: see `Outdated`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.errors import Denied, Failed, Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.ampere.profile import Document, Profile
from bridge.providers.ampere.settings import AmpereSettings
from bridge.providers.base import Surroundings
from bridge.providers.base.pages import Leaf, Pages
from bridge.transport.graphql import GraphQL, Json, PathError, Result

Words = Mapping[str, Any]  # what the variables of a document can be told


class Outdated(Refused):
    """The profile asks for what the API does not have: nothing but another profile mends it."""


CODES: Mapping[str, type[SourceError]] = {
    "UNAUTHENTICATED": Unauthenticated,
    "FORBIDDEN": Denied,
    "GRAPHQL_PARSE_FAILED": Outdated,
    "GRAPHQL_VALIDATION_FAILED": Outdated,
    "BAD_USER_INPUT": Refused,
    "INTERNAL_SERVER_ERROR": Failed,
    "DOWNSTREAM_SERVICE_ERROR": Failed,
    "TOO_MANY_REQUESTS": RateLimited,
    "RATE_LIMITED": RateLimited,
    "RATE_LIMIT_EXCEEDED": RateLimited,
    "THROTTLED": RateLimited,
}
WORDS: Mapping[str, type[SourceError]] = {  # of messages that bear no code, or one that is not known
    "cannot query field": Outdated,
    "unknown argument": Outdated,
    "unknown type": Outdated,
    "is not defined by type": Outdated,
    "too many requests": RateLimited,
    "rate limit": RateLimited,
    "throttl": RateLimited,
}


class Gateway:
    """The API, asked in the words of one profile."""

    def __init__(self, settings: AmpereSettings, profile: Profile, surroundings: Surroundings) -> None:
        self.profile = profile
        self._name, self._file = surroundings.name, settings.profile
        self._graphql = GraphQL(surroundings.http, settings.url, surroundings.redact, codes=CODES, words=WORDS)
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._pages = Pages()

    async def all(self, section: str, words: Words, what: str, moment: datetime) -> Sequence[Result]:
        """Return the pages that a section of the profile brings. Raises SourceError; Outdated where the API does not know it."""
        document: Document = getattr(self.profile, section)
        given = {name: words[word] for name, word in document.variables.items() if word in words}
        sizes = [name for name, word in document.variables.items() if word == "first"]
        cursors = [name for name, word in document.variables.items() if word == "after"]

        async def turn(cursor: str | None) -> Leaf:
            paging = dict.fromkeys(sizes, self.profile.page_size) | dict.fromkeys(cursors, cursor)
            result = await self._ask(section, document.document, {**given, **paging})
            return Leaf([result], self._following(section, document, result))

        found: list[Result] = await self._pages.all((section, repr(given)), what, moment, turn)
        return found

    async def first(self, section: str, words: Words) -> Result:
        """Return the first page alone, of one row where the profile lets us say so."""
        document: Document = getattr(self.profile, section)
        known = {"first": 1, "after": None, **words}
        return await self._ask(section, document.document, {name: known[word] for name, word in document.variables.items()})

    async def query(self, document: str, variables: Json) -> Result:
        """Send a document of whoever's."""
        return await self._graphql.query(document, variables, self._headers)

    async def mutate(self, document: str, variables: Json) -> Result:
        """Send a mutation of the user's, once."""
        return await self._graphql.mutate(document, variables, self._headers)

    async def text(self, document: str) -> str:
        """Return the answer to a document as it came, unread."""
        return await self._graphql.text(document, {}, self._headers)

    def error(self, error: PathError) -> SourceError:
        return self._graphql.error(error)

    def misread(self, section: str, error: Malformed) -> Malformed:
        """Return `error` with where it is to be mended."""
        return Malformed(f"[{section}] of the profile: {error}; mend it in {self._file}")

    def forget(self) -> None:
        self._pages.forget()

    async def _ask(self, section: str, document: str, variables: Json) -> Result:
        try:
            return await self.query(document, variables)
        except Outdated as error:
            mend = f"run kwh2mqtt introspect {self._name}, which says what to change in {self._file}"
            raise Outdated(f"the API does not take [{section}] of the profile: {error}; {mend}", reasons=error.reasons) from None

    def _following(self, section: str, document: Document, result: Result) -> str | None:
        if document.next is None:
            return None
        try:
            cursor = document.next(result.data)
        except Malformed as error:
            raise self.misread(section, error) from None
        if not cursor:
            return None
        if isinstance(cursor, bool) or not isinstance(cursor, str | int):
            raise self.misread(section, Malformed(f"next = {document.next.text!r} found no cursor in the answer"))
        return str(cursor)


def stops(error: SourceError) -> bool:
    """Tell whether whatever else is asked would most likely be told the same."""
    return isinstance(error, Unauthenticated | RateLimited | Unreachable) and not isinstance(error, Failed)


def span(start: datetime, end: datetime, prefix: str = "") -> Words:
    """Return the words for [start, end)."""
    return {
        f"{prefix}from": stamp(start),
        f"{prefix}to": stamp(end),
        f"{prefix}from_ms": _milliseconds(start),
        f"{prefix}to_ms": _milliseconds(end),
    }


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(timespec='seconds')[:-6]}Z"


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
