"""GraphQL over HTTP: constant documents with variables, partial data, errors by path. No GraphQL library is needed to ask.

A 200 may hold errors, and beside them data that is good: `Result.data` is what came, `Result.errors` says what did not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.redact import Redactor
from bridge.transport.http import HTTP_FORBIDDEN, HTTP_UNAUTHORIZED, Answer, Http, judged, shortened

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
    ) -> None:
        self._http, self._url, self._redact = http, url, redact
        self._codes = {**COMMON_CODES, **(codes or {})}
        self._words = words or {}

    async def query(self, document: str, variables: Json, headers: Mapping[str, str]) -> Result:
        """Ask; repeated where the network failed. Raises SourceError where no data came at all."""
        answer = await self._http.read("POST", self._url, headers=headers, body=_body(document, variables))
        return self._result(answer)

    async def mutate(self, document: str, variables: Json, headers: Mapping[str, str]) -> Result:
        """Send once. Raises SourceError likewise; after Unreachable the outcome is unknown."""
        answer = await self._http.write("POST", self._url, headers=headers, body=_body(document, variables))
        return self._result(answer)

    def error(self, error: PathError) -> SourceError:
        """Return `error` as one of ours; a code that nobody knows is an Unreachable: it may pass."""
        kind = self._kind(error) or Unreachable
        text = f"{error.message} ({error.code})" if error.code else error.message
        return kind(text, reasons=(error.message,))

    def _kind(self, error: PathError) -> type[SourceError] | None:
        told = (kind for word, kind in self._words.items() if word in error.message.lower())
        return self._codes.get(error.code or "") or next(told, None)

    def _result(self, answer: Answer) -> Result:
        if not answer.is_json:
            judged(answer, self._redact)
            raise Unreachable(f"expected JSON, got {answer.content_type or 'nothing'}: {answer.excerpt(self._redact)}")
        body = self._read(answer)
        errors = tuple(self._path_error(entry) for entry in body.get("errors") or () if isinstance(entry, dict))
        data = body.get("data")
        self._raise_for(answer, errors, empty=not data)
        if not isinstance(data, dict):
            raise Malformed(f"the answer holds neither data nor errors: {answer.excerpt(self._redact)}")
        return Result(data, errors)

    def _raise_for(self, answer: Answer, errors: tuple[PathError, ...], *, empty: bool) -> None:
        if answer.status in (HTTP_UNAUTHORIZED, HTTP_FORBIDDEN):
            judged(answer, self._redact)
        kinds = [self._kind(error) for error in errors]
        for error, kind in zip(errors, kinds, strict=True):
            if kind is RateLimited:
                self._http.pause(error.message)
            if kind is Unauthenticated or (kind and empty):
                raise self.error(error)
        judged(answer, self._redact)
        if errors and empty:
            raise self.error(errors[0])

    def _read(self, answer: Answer) -> Json:
        try:
            body = answer.json()
        except Malformed as error:
            raise Malformed(f"{error}: {answer.excerpt(self._redact)}") from None
        if not isinstance(body, dict):
            raise Malformed(f"the answer is not a JSON object: {answer.excerpt(self._redact)}")
        if not isinstance(body.get("errors") or [], list):
            raise Malformed(f"the answer's errors are no list: {answer.excerpt(self._redact)}")
        return body

    def _path_error(self, entry: Json) -> PathError:
        extensions = entry.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        path = entry.get("path")
        return PathError(
            message=shortened(self._redact(str(entry.get("message") or "no message"))),
            code=shortened(self._redact(str(code))) if code else None,
            path=tuple(path) if isinstance(path, list) else (),
        )


def _body(document: str, variables: Json) -> Json:
    return {"query": document, "variables": variables}
