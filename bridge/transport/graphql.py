"""GraphQL over HTTP: constant documents with variables, partial data, errors by path. No GraphQL library is needed to ask.

A 200 may hold errors, and beside them data that is good: `Result.data` is what came, `Result.errors` says what did not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import Denied, Failed, Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.redact import Redactor
from bridge.transport.answer import HTTP_FORBIDDEN, HTTP_SERVER_ERRORS, HTTP_UNAUTHORIZED, Answer, judged, shortened
from bridge.transport.http import Http, unknown

Json = dict[str, Any]

COMMON_CODES: Mapping[str, type[SourceError]] = {
    "UNAUTHENTICATED": Unauthenticated,
    "BAD_USER_INPUT": Refused,  # these three are Apollo Server's own
    "GRAPHQL_PARSE_FAILED": Refused,
    "GRAPHQL_VALIDATION_FAILED": Refused,
}


@dataclass(frozen=True)
class PathError:
    """One entry of `errors`: what went wrong, and where in the data."""

    message: str
    code: str | None
    path: tuple[str | int, ...]
    type: str | None = None  # the provider's class of errors, where it tells one
    reasons: tuple[str, ...] = ()  # why it refused, where it says so apart from the message

    def lies_on(self, *path: str | int) -> bool:
        """Tell whether this error can have emptied the data at `path`: it lies above, below or at it."""
        return all(a == b for a, b in zip(self.path, path, strict=False))


@dataclass(frozen=True)
class Result:
    """The data that came, and the errors beside it."""

    data: Json
    errors: tuple[PathError, ...] = ()

    def error_at(self, *path: str | int) -> PathError | None:
        """Return the first error that concerns `path`."""
        return next((error for error in self.errors if error.lies_on(*path)), None)


class GraphQL:
    """One endpoint. `codes` says which of the provider's error codes means which of our errors, `words` what a message tells."""

    def __init__(
        self,
        http: Http,
        url: str,
        redact: Redactor,
        *,
        codes: Mapping[str, type[SourceError]] | None = None,
        words: Mapping[str, type[SourceError]] | None = None,
        statuses: Mapping[int, tuple[type[SourceError], str]] | None = None,
    ) -> None:
        """`statuses` says what an answer of that HTTP status means whatever it holds, and the mend."""
        self._statuses = statuses or {}
        self._http, self._url, self._redact = http, url, redact
        self._codes = {**COMMON_CODES, **(codes or {})}
        self._words = words or {}

    async def query(
        self, document: str, variables: Json, headers: Mapping[str, str], *, alone: bool = False, is_secret: bool = False
    ) -> Result:
        """Ask; repeated where the network failed. Raises SourceError where no data came at all.

        Too many requests hold back everything else to this provider too, except where the limit is of what is asked for `alone`.
        Of a secret answer no error quotes more than a message that has a code.
        """
        body = _body(document, variables)
        answer = await self._http.read("POST", self._url, headers=headers, body=body, is_secret=is_secret)
        return self._result(answer, alone=alone)

    async def text(self, document: str, variables: Json, headers: Mapping[str, str]) -> str:
        """Ask, and return the answer unread: for one so long that another process is to read it. Raises SourceError."""
        answer = await self._http.read("POST", self._url, headers=headers, body=_body(document, variables))
        if not answer.is_success:
            self._result(answer)
        return answer.text

    async def mutate(self, document: str, variables: Json, headers: Mapping[str, str], *, depth: int = 1) -> Result:
        """Send once. Raises Unreachable, TimedOut, RateLimited only where nothing was done; OutcomeUnknown where nobody can tell.

        That holds for documents of one mutation: of several, one may have been done before another was refused. It stands so
        `depth` below the root; most providers' are the root fields themselves.
        """
        answer = await self._http.write("POST", self._url, headers=headers, body=_body(document, variables))
        try:
            result = self._result(answer)
        except SourceError as error:
            if (
                isinstance(error, (Unreachable, Malformed))
                or self._holds_data(answer, depth)
                or answer.status >= HTTP_SERVER_ERRORS
            ):
                raise unknown(error) from None
            raise
        if result.errors:
            said = self.error(result.errors[0])
            refused = not isinstance(said, Unreachable) and _is_empty(result.data, depth)
            raise said if refused else unknown(said)
        return result

    def error(self, error: PathError) -> SourceError:
        """Return `error` as one of ours; a code that nobody knows is a Failed: it may pass."""
        kind = self._kind(error) or Failed
        return kind(self._told(error), reasons=error.reasons or (error.message,))

    def _told(self, error: PathError) -> str:
        return f"{error.message} ({error.code})" if error.code else error.message

    def _kind(self, error: PathError) -> type[SourceError] | None:
        told = (kind for word, kind in self._words.items() if word in error.message.lower())
        return self._codes.get(error.code or "") or next(told, None)

    def _result(self, answer: Answer, *, alone: bool = False) -> Result:
        if (meaning := self._statuses.get(answer.status)) is not None:
            kind, mend = meaning
            raise kind(f"the provider answered {answer.status}: {mend}", reasons=(answer.excerpt(self._redact),))
        if answer.status == HTTP_UNAUTHORIZED or (answer.status == HTTP_FORBIDDEN and not self._is_denied(answer)):
            judged(answer, self._redact)
        body = self._answered(answer)
        errors = tuple(self._path_error(entry) for entry in _errors(body))
        if answer.is_secret:
            errors = tuple(error if error.code else self._wordless(error) for error in errors)
        data = body.get("data")
        self._raise_for(answer, errors, empty=not data, alone=alone)
        if not isinstance(data, dict):
            raise Malformed(f"the answer holds neither data nor errors: {answer.excerpt(self._redact)}")
        return Result(data, errors)

    def _raise_for(self, answer: Answer, errors: tuple[PathError, ...], *, empty: bool, alone: bool) -> None:
        kinds = [self._kind(error) for error in errors]
        for error, kind in zip(errors, kinds, strict=True):
            if kind is RateLimited and not alone:
                self._http.pause(self._told(error))
            if kind in (RateLimited, Unauthenticated) or (kind and empty):
                raise self.error(error)
        judged(answer, self._redact)
        if errors and empty:
            raise self.error(errors[0])

    def _answered(self, answer: Answer) -> Json:
        """Return what GraphQL answered. Raises Unreachable for a page that a gateway put in its place."""
        try:
            body = self._read(answer)
        except SourceError:
            if answer.is_success:
                raise
            body = {}
        if not answer.is_success and not _errors(body):
            raise Unreachable(f"the provider answered {answer.status}: {answer.excerpt(self._redact)}")
        return body

    def _read(self, answer: Answer) -> Json:
        if not answer.is_json:
            raise Unreachable(f"expected JSON, got {answer.content_type or 'nothing'}: {answer.excerpt(self._redact)}")
        try:
            body = answer.json()
        except Malformed as error:
            raise Malformed(f"{error}: {answer.excerpt(self._redact)}") from None
        if not isinstance(body, dict):
            raise Malformed(f"the answer is not a JSON object: {answer.excerpt(self._redact)}")
        if not isinstance(body.get("errors") or [], list):
            raise Malformed(f"the answer's errors are no list: {answer.excerpt(self._redact)}")
        return body

    def _is_denied(self, answer: Answer) -> bool:
        """Tell whether an answer says by its code that the credentials are good, and do not reach this."""
        try:
            return any(self._kind(self._path_error(entry)) is Denied for entry in _errors(self._read(answer)))
        except SourceError:
            return False

    def _holds_data(self, answer: Answer, depth: int) -> bool:
        try:
            data = self._read(answer).get("data")
        except SourceError:
            return False
        return isinstance(data, dict) and not _is_empty(data, depth)

    def _wordless(self, error: PathError) -> PathError:
        """Return `error` with no more of its message than the words that we know."""
        known = (word for word in self._words if word in error.message.lower())
        return replace(error, message=next(known, "an error without a code"), type=None, reasons=())

    def _path_error(self, entry: Json) -> PathError:
        given = entry.get("extensions")
        extensions = given if isinstance(given, dict) else {}
        code = extensions.get("errorCode") or extensions.get("code")  # Kraken's own before the usual one
        message, more = str(entry.get("message") or "no message"), str(extensions.get("errorDescription") or "")
        path = entry.get("path")
        return PathError(
            message=self._clean(f"{message} {more}" if more and more not in message else message),
            code=self._clean(str(code)) if code else None,
            path=tuple(path) if isinstance(path, list) else (),
            type=self._clean(str(extensions["errorType"])) if extensions.get("errorType") else None,
            reasons=tuple(self._clean(reason) for reason in _reasons(extensions)),
        )

    def _clean(self, text: str) -> str:
        return shortened(self._redact(text))


def _is_empty(value: Any, depth: int) -> bool:
    """Tell whether no field so far down holds anything."""
    if depth and isinstance(value, dict):
        return all(_is_empty(inner, depth - 1) for inner in value.values())
    return value is None


def _errors(body: Json) -> list[Json]:
    return [entry for entry in body.get("errors") or () if isinstance(entry, dict)]


def _reasons(extensions: Json) -> Iterator[str]:
    """Yield what stands in Kraken's `validationErrors` and lists such as `boostChargeRefusalReasons`, or OctoMesh's `details`."""
    for key, value in extensions.items():
        if key.endswith("Reasons") and isinstance(value, list):
            yield from map(str, value)
        elif key == "validationErrors" and isinstance(value, list):
            yield from (_validation(entry) for entry in value if isinstance(entry, dict))
        elif key == "OctoDetails" and isinstance(value, list):
            yield from (str(entry["message"]) for entry in value if isinstance(entry, dict) and entry.get("message"))
        elif key == "details" and isinstance(value, dict):
            yield from (f"{name}: {told}" for name, told in value.items())


def _validation(entry: Json) -> str:
    path = entry.get("inputPath")
    place = ".".join(map(str, path)) if isinstance(path, list) else ""
    return f"{place}: {entry.get('message')}" if place else str(entry.get("message"))


def _body(document: str, variables: Json) -> Json:
    return {"query": document, "variables": variables}
