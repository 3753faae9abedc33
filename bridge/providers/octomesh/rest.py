"""OctoMesh's REST: the tenant, its libraries, the service's health, and uploads, in both published shapes of addresses.

A write is sent once. What the documented shape has and the server's has not is Refused.
"""

from typing import Any
from urllib.parse import quote, urlencode

from bridge.clock import Clock
from bridge.errors import Denied, Malformed, NotFound, Refused, SourceError, Unauthenticated
from bridge.providers.octomesh.codes import FORBIDDEN, NOT_FOUND
from bridge.providers.octomesh.limits import Limits
from bridge.providers.octomesh.mesh import Mesh
from bridge.redact import Redactor
from bridge.transport.answer import HTTP_SERVER_ERRORS, HTTP_UNAUTHORIZED, Answer, judged, shortened
from bridge.transport.http import Http, Upload, unknown

PAGE = 100
LIBRARY = "application/json"


class Rest:
    """Asks and uploads, in the shape `documented` or `actual`."""

    def __init__(self, http: Http, base: str, tenant: str, mesh: Mesh, limits: Limits, clock: Clock, redact: Redactor) -> None:
        self._http, self._base, self._mesh, self._limits, self._clock = http, base, mesh, limits, clock
        self._tenant, self._redact = quote(tenant, safe=""), redact

    async def tenant(self, shape: str) -> Any:
        """Return what is told of the tenant; the published server tells of its child tenants. Raises SourceError."""
        if shape == "documented":
            return await self._get(f"/api/tenants/{self._tenant}")
        return await self._get(f"/{self._tenant}/v1/tenants", skip=0, take=PAGE)

    async def libraries(self, shape: str) -> Any:
        """Return the libraries of construction kits. Raises SourceError."""
        documented = shape == "documented"
        path = f"/api/tenants/{self._tenant}/construction-kits" if documented else f"/{self._tenant}/v1/models/LibraryStatus"
        return await self._get(path)

    async def health(self) -> Any:
        """Return how the service feels, also where it feels ill: an object, or the word that it answers. Raises SourceError.

        It is open to everybody, so no token goes along.
        """
        self._limits.queries.take(self._clock.now())
        answer = await self._http.read("GET", f"{self._base}/health", headers={})
        if answer.is_json and isinstance(told := answer.json(), dict) and "status" in told:
            return told
        return shortened(self._redact(self._judged(answer).text))

    async def upload_file(self, shape: str, file: Upload) -> Any:
        """Send a file and return what the server says of it. Raises SourceError."""
        if shape == "actual":
            raise Refused(
                "the published server has no upload of files: its binaries are attributes, and models go by library_upload"
            )
        return await self._post(f"/api/tenants/{self._tenant}/files", file)

    async def upload_library(self, shape: str, body: Any, file: Upload) -> Any:
        """Send a library, as JSON or as a file, and return what the server says of it. Raises SourceError."""
        if shape == "documented":
            return await self._post(f"/api/tenants/{self._tenant}/construction-kits", body)
        return await self._post(f"/{self._tenant}/v1/models/ImportCk", file)

    async def _get(self, path: str, **query: Any) -> Any:
        return self._judged(await self._asked(path, query)).json()

    async def _asked(self, path: str, query: dict[str, Any]) -> Answer:
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        token = await self._mesh.token()
        self._limits.queries.take(self._clock.now())
        answer = await self._http.read("GET", url, headers={"Authorization": f"Bearer {token}"})
        if answer.status != HTTP_UNAUTHORIZED:
            return answer
        self._mesh.refuse(token)
        another = await self._mesh.token()
        self._limits.queries.take(self._clock.now())
        return await self._http.read("GET", url, headers={"Authorization": f"Bearer {another}"})

    async def _post(self, path: str, body: Any) -> Any:
        token = await self._mesh.token()
        self._limits.uploads.take(self._clock.now())
        answer = await self._http.write("POST", f"{self._base}{path}", headers={"Authorization": f"Bearer {token}"}, body=body)
        if answer.status == HTTP_UNAUTHORIZED:
            self._mesh.refuse(token)
        try:
            self._judged(answer)
            return answer.json() if answer.text.strip() else {}
        except Malformed as error:
            raise unknown(error) from None
        except SourceError as error:
            raise (unknown(error) if answer.status >= HTTP_SERVER_ERRORS else error) from None

    def _judged(self, answer: Answer) -> Answer:
        """Return `answer` where it is a success. Raises by its status, with the words of its body."""
        if answer.is_success:
            return answer
        reasons = tuple(self._reasons(answer))
        text = f"the provider answered {answer.status}" + (f": {'; '.join(reasons)}" if reasons else "")
        if answer.status == HTTP_UNAUTHORIZED:
            raise Unauthenticated(text)
        if answer.status == FORBIDDEN:
            raise Denied(f"{text}; look at tenant, and at the scope of the client", reasons=reasons)
        if answer.status == NOT_FOUND:
            raise NotFound(f"{text}; look at tenant, url and rest", reasons=reasons)
        if answer.status < HTTP_SERVER_ERRORS and reasons:
            raise Refused(text, reasons=reasons)
        return judged(answer, self._redact)

    def _reasons(self, answer: Answer) -> list[str]:
        """Return what the body of an error says: `statusDescription`, `message`, `errorMessage`."""
        try:
            told = answer.json()
        except Malformed:
            return []
        words = ("statusDescription", "message", "errorMessage")
        return [shortened(self._redact(str(told[word]))) for word in words if isinstance(told, dict) and told.get(word)]
