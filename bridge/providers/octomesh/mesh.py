"""One tenant's GraphQL, asked with the client's token: a token that is refused is renewed, and the question asked once more.

Which dialect it speaks is found by its root fields where the configuration does not say.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from bridge.clock import Clock
from bridge.errors import Failed, Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.octomesh.actual import Actual
from bridge.providers.octomesh.codes import Outdated
from bridge.providers.octomesh.dialect import Dialect
from bridge.providers.octomesh.documented import Documented
from bridge.providers.octomesh.limits import Limits
from bridge.providers.octomesh.published import KIT
from bridge.providers.octomesh.questions import Question, answer, written
from bridge.providers.octomesh.shapes import QUERY, Shapes
from bridge.transport.graphql import GraphQL, Json, PathError, Result
from bridge.transport.http import unknown

log = logging.getLogger(__name__)

Answered = Any | SourceError  # what came for a question, or why nothing did
T = TypeVar("T")
MOST_HALVINGS = 3  # fourteen more requests at the most, so that one bad part costs an eighth of the others at the most
ALIVE = "query Alive { __typename }"


class Tokens(Protocol):
    """Gives out tokens; see `bridge.providers.octomesh.sign_in`."""

    async def token(self) -> str: ...
    async def renewed(self, refused: str) -> str: ...


class Mesh:
    """Asks and writes."""

    def __init__(self, graphql: GraphQL, tokens: Tokens, limits: Limits, clock: Clock, dialect: str) -> None:
        """`dialect` is `auto` where it is to be found out."""
        self._graphql, self._tokens, self._limits, self._clock = graphql, tokens, limits, clock
        self._refused: str | None = None  # a token that a write was refused with
        self._shapes = Shapes(self._types)
        self._dialects: dict[str, Dialect] = {"documented": Documented(self._shapes), "actual": Actual(self._shapes)}
        self._dialect = self._dialects.get(dialect)

    async def dialect(self) -> Dialect:
        """Return the dialect that the server speaks. Raises SourceError."""
        if self._dialect is None:
            roots = (await self._shapes.root(QUERY)).fields
            self._dialect = self._dialects["actual" if KIT in roots else "documented"]
        return self._dialect

    def forget(self) -> None:
        """Ask for the schema anew when it is needed next."""
        self._shapes.forget()

    async def fitting(self, work: Callable[[Dialect], Awaitable[T]]) -> T:
        """Return what `work` brings; where the schema has changed since it was asked for, once more with the new one."""
        try:
            return await work(await self.dialect())
        except Outdated:
            self.forget()
            return await work(await self.dialect())

    async def alive(self) -> None:
        """Ask for as little as may be. Raises SourceError."""
        await self.ask(ALIVE, {})

    async def ask(self, document: str, variables: Json) -> Result:
        """Return the answer, part of which may be missing. Raises SourceError."""
        token = await self._token()
        try:
            return await self._sent(document, variables, token)
        except Unauthenticated:
            another = await self._tokens.renewed(token)
            if another == token:
                raise
            return await self._sent(document, variables, another)

    async def write(self, document: str, variables: Json, depth: int = 2) -> Result:
        """Send a mutation once, which stands so deep. Raises SourceError where it was refused, or where nobody knows."""
        token = await self._token()
        self._limits.writes.take(self._clock.now())
        try:
            return await self._graphql.mutate(document, variables, _bearer(token), depth=depth)
        except Unauthenticated as error:
            self._refused = token
            raise Unauthenticated(
                f"{error}; nothing was done; ask again, the next one gets another token", reasons=error.reasons
            ) from None

    async def answers(self, questions: Sequence[Question], halvings: int = MOST_HALVINGS) -> list[Answered]:
        """Return what came for each of several questions, asked as one; where that fails as a whole, half of them at a time."""
        try:
            result = await self.ask(*written(questions))
        except (RateLimited, Unauthenticated, Outdated):
            raise
        except SourceError as error:
            if stops(error):
                raise
            if len(questions) == 1 or not halvings:
                return [error] * len(questions)
            half = len(questions) // 2
            return [part for some in (questions[:half], questions[half:]) for part in await self.answers(some, halvings - 1)]
        for untold in result.errors:
            log.debug("the server could not tell all: %s", self._graphql.error(untold))
        return [self._answered(result, questions, number) for number in range(len(questions))]

    async def only(self, question: Question) -> Any:
        """Return what came for one question. Raises SourceError where nothing did."""
        (found,) = await self.answers([question])
        if isinstance(found, SourceError):
            raise found
        return found

    async def done(self, question: Question) -> Any:
        """Send the one write that `question` is, and return what was confirmed. Raises SourceError."""
        result = await self.write(*written([question], "mutation"), depth=len(question.place) + 1)
        found = answer(result, [question], 0)  # with errors beside it, it would have been raised
        if found is None:
            raise unknown(Malformed("the provider confirmed nothing"))
        return found

    async def token(self) -> str:
        """Return a token for what is no GraphQL. Raises SourceError."""
        return await self._token()

    def refuse(self, token: str) -> None:
        """Take another token next time than this one, which was refused."""
        self._refused = token

    def _answered(self, result: Result, questions: Sequence[Question], number: int) -> Answered:
        found = answer(result, questions, number)
        return self._graphql.error(found) if isinstance(found, PathError) else found

    async def _types(self, questions: list[Question]) -> list[Any]:
        """Return what introspection tells; nothing of it may be missing."""
        found = await self.answers(questions)
        for one in found:
            if isinstance(one, Refused):
                raise Refused(f"the tenant's schema cannot be asked for: {one}", reasons=one.reasons)
            if isinstance(one, SourceError):
                raise one
        return found

    async def _token(self) -> str:
        refused, self._refused = self._refused, None
        return await (self._tokens.token() if refused is None else self._tokens.renewed(refused))

    async def _sent(self, document: str, variables: Json, token: str) -> Result:
        self._limits.queries.take(self._clock.now())
        return await self._graphql.query(document, variables, _bearer(token))


def stops(error: SourceError) -> bool:
    """Tell whether whatever else is asked would most likely be told the same."""
    return isinstance(error, RateLimited | Unauthenticated | Unreachable) and not isinstance(error, Failed)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
