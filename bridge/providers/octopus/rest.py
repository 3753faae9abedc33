"""Kraken's REST: prices without a key, readings with the API key as the user of Basic authentication.

A link in an answer is followed on the configured address only, whatever host it names.
"""

import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from bridge.errors import Malformed, NotFound
from bridge.redact import Redactor
from bridge.transport.graphql import Json
from bridge.transport.http import Http, judged

LINK = re.compile(r"/((?:products|electricity-meter-points|gas-meter-points)/.*)$")
PAGE_SIZE = 1500
MOST_PAGES = 50


class Rest:
    """Reads what the REST interface knows."""

    def __init__(self, http: Http, base: str, redact: Redactor, api_key: SecretStr | None) -> None:
        self._http, self._base, self._redact = http, base.rstrip("/"), redact
        self.has_key = api_key is not None
        self._basic = b64encode(f"{api_key.get_secret_value()}:".encode()).decode() if api_key else ""

    async def get(self, path: str, query: dict[str, Any] | None = None, *, signed: bool = False) -> Json:
        """Return the object at `path`, which may be a link out of an answer. Raises SourceError."""
        url = self._address(path, query)
        headers = {"Authorization": f"Basic {self._basic}"} if signed else {}
        if signed:
            self._redact.learn(self._basic)  # each time, as what was learnt is forgotten over many tokens
        answer = judged(await self._http.read("GET", url, headers=headers), self._redact)
        body = answer.json()
        if not isinstance(body, dict):
            raise Malformed("the answer is not a JSON object")
        return body

    async def rows(self, path: str, *, signed: bool = False, **query: Any) -> list[Json]:
        """Return the rows of every page. Raises SourceError."""
        body = await self.get(path, {"page_size": PAGE_SIZE, **query}, signed=signed)
        found, seen = _results(body), {path}
        for _ in range(MOST_PAGES):
            following = body.get("next")
            if not following:
                return found
            if not isinstance(following, str) or following in seen:
                raise Malformed("the pages do not move on: a link to the next one came twice")
            seen.add(following)
            body = await self.get(following, signed=signed)
            found += _results(body)
        raise Malformed(f"there are more than {MOST_PAGES} pages")

    async def first(self, path: str, most: int, *, signed: bool = False, **query: Any) -> tuple[list[Json], bool]:
        """Return the first rows, and whether there are more. Raises SourceError."""
        body = await self.get(path, {"page_size": most, **query}, signed=signed)
        return _results(body), bool(body.get("next"))

    def _address(self, path: str, query: dict[str, Any] | None) -> str:
        link = LINK.search(path)
        if link is None:
            raise NotFound("the link leads nowhere that is known")
        return f"{self._base}/{link[1]}" + (f"?{urlencode(query)}" if query else "")


def stamp(moment: datetime) -> str:
    """Return `moment` as REST reads it without doubt: a time without an offset is taken for London's."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _results(body: Json) -> list[Json]:
    results = body.get("results")
    if not isinstance(results, list):
        raise Malformed("the answer holds no rows")
    return [row for row in results if isinstance(row, dict)]
