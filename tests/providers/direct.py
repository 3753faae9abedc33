"""A simulated provider, asked without a socket."""

from typing import Protocol

import httpx2

from bridge.simulator.server import Hangup, Request, Response


class Simulated(Protocol):
    async def handle(self, request: Request) -> Response: ...


class Direct(httpx2.AsyncBaseTransport):
    """Hands a request to the simulator without a socket."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated = simulated

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.aread()
        try:
            asked = Request(request.method, request.url.path, headers, body, request.url.query.decode())
            answer = await self.simulated.handle(asked)
        except Hangup as error:
            raise httpx2.RemoteProtocolError("closed without an answer") from error
        content = answer.body[: answer.truncate_at]
        return httpx2.Response(answer.status, headers=[("content-type", answer.content_type), *answer.headers], content=content)
