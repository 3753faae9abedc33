"""One Kraken host, asked with the account's token: a token that is refused is renewed, and the question asked once more.

The token travels raw in `Authorization`, as the gateway takes it no other way.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bridge.errors import Denied, Malformed, SourceError, Unauthenticated, Unreachable
from bridge.providers.octopus.codes import UNAUTHORISED_FIELD
from bridge.providers.octopus.sign_in import SignIn
from bridge.transport.graphql import GraphQL, Json, PathError, Result
from bridge.transport.http import unknown

FRESH = timedelta(minutes=2)  # a field that is refused to so young a token is refused to the account
LONGEST_PAGES = 200
PAGE = 99  # `first` must be less than 100


class LockedOut(Unauthenticated):
    """The sign-in itself is refused: nothing that needs one can be had."""


class Kraken:
    """Asks one endpoint for one account."""

    def __init__(self, graphql: GraphQL, sign_in: SignIn) -> None:
        self._graphql, self._sign_in = graphql, sign_in
        self._refused: str | None = None  # a token that a write was refused with
        self._denied: set[str] = set()  # documents with a field that the account may not see

    async def ask(self, document: str, *, alone: bool = False, **variables: Any) -> Result:
        """Return the answer, part of which may be missing. Raises SourceError, also where the only thing asked for failed."""
        return await self._answered(document, variables, alone=alone)

    async def whole(self, document: str, **variables: Any) -> Result:
        """Return the answer where all of it came: half a list is not to be taken for one. Raises SourceError."""
        result = await self.ask(document, **variables)
        if result.errors:
            raise self.error(result.errors[0])
        return result

    async def introspect(self, document: str, variables: Json) -> Result:
        """Likewise, with the variables as one object: `bridge.providers.base.Endpoint.ask`."""
        return await self._answered(document, variables, alone=False)

    async def write(self, document: str, **variables: Any) -> Result:
        """Send a mutation once. Raises SourceError where it was refused, or where nobody knows whether it was."""
        return await self.mutate(document, variables)

    async def mutate(self, document: str, variables: Json) -> Result:
        """Likewise, with the variables as one object: `bridge.providers.base.Endpoint.write`."""
        token = await self._token()
        try:
            result = await self._graphql.mutate(document, variables, {"Authorization": token})
        except Unauthenticated:
            self._refused = token  # not sent again; the next one gets another
            raise
        if result.errors:
            error = self.error(result.errors[0])
            refused = not isinstance(error, Unreachable) and all(value is None for value in result.data.values())
            raise error if refused else unknown(error)
        return result

    async def nodes(self, document: str, path: Sequence[str], **variables: Any) -> list[Json]:
        """Return every node of the connection at `path`, page by page (`$first` and `$after` in the document)."""
        found: list[Json] = []
        after: str | None = None
        seen: set[str] = set()
        for _ in range(LONGEST_PAGES):
            page, following = self.page(await self.ask(document, first=PAGE, after=after, **variables), path)
            found += page
            if following is None:
                return found
            if following in seen:
                raise Malformed(f"the pages of {path[-1]} do not move on: the cursor came twice")
            seen.add(following)
            after = following
        raise Malformed(f"there are more than {LONGEST_PAGES} pages of {path[-1]}")

    def page(self, result: Result, path: Sequence[str]) -> tuple[list[Json], str | None]:
        """Return what `read_page` does; where the page was refused, the reason is raised."""
        try:
            return read_page(result.data, path)
        except Malformed:
            if (error := result.error_at(*path)) is not None:
                raise self.error(error) from None
            raise

    def error(self, error: PathError) -> SourceError:
        """Return one of an answer's errors as one of ours."""
        return self._graphql.error(error)

    async def _answered(self, document: str, variables: Mapping[str, Any], *, alone: bool) -> Result:
        result = await self._asked(document, variables, alone=alone)
        if not any(value is not None for value in result.data.values()) and result.errors:
            raise self.error(result.errors[0])
        return result

    async def _asked(self, document: str, variables: Mapping[str, Any], *, alone: bool) -> Result:
        token = await self._token()
        try:
            result = await self._sent(document, variables, token, alone=alone)
        except (Denied, Unauthenticated):
            if self._is_settled(document):
                raise
        else:
            if self._is_settled(document) or not any(error.code == UNAUTHORISED_FIELD for error in result.errors):
                return result
        token = await self._token(refused=token)
        try:
            result = await self._sent(document, variables, token, alone=alone)
        except (Denied, Unauthenticated):
            self._denied.add(document)
            raise
        if any(error.code == UNAUTHORISED_FIELD for error in result.errors):
            self._denied.add(document)
        return result

    async def _token(self, refused: str | None = None) -> str:
        refused, self._refused = refused or self._refused, None
        try:
            return await (self._sign_in.token() if refused is None else self._sign_in.renewed(refused))
        except Unauthenticated as error:
            raise LockedOut(str(error)) from None

    def _is_settled(self, document: str) -> bool:
        """Tell whether another token would be told the same."""
        return document in self._denied or self._sign_in.age() < FRESH

    async def _sent(self, document: str, variables: Mapping[str, Any], token: str, *, alone: bool) -> Result:
        return await self._graphql.query(document, dict(variables), {"Authorization": token}, alone=alone)


def read_page(data: Json, path: Sequence[str]) -> tuple[list[Json], str | None]:
    """Return the nodes of one page and the cursor of the next, None at the end. `hasPreviousPage` says nothing (Relay §4.2).

    Raises Malformed where there is no connection at `path`.
    """
    place: Any = data
    for step in path:
        place = place.get(step) if isinstance(place, dict) else None
    if not isinstance(place, dict) or not isinstance(place.get("edges"), list):
        raise Malformed(f"the answer holds no page of {path[-1]}")
    nodes = [edge["node"] for edge in place["edges"] if isinstance(edge, dict) and isinstance(edge.get("node"), dict)]
    info = place.get("pageInfo") or {}
    if not info.get("hasNextPage"):
        return nodes, None
    cursor = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise Malformed(f"a page of {path[-1]} says that there is more, and not where")
    return nodes, cursor
