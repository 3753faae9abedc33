"""A simulated provider, asked without a socket."""

import httpx2

from bridge.simulator.server import Hangup, Request
from bridge.simulator.tibber import Tibber as Simulated


class Direct(httpx2.AsyncBaseTransport):
    """Hands a request to the simulator without a socket."""

    def __init__(self, simulated: Simulated) -> None:
        self.simulated = simulated

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.aread()
        try:
            answer = await self.simulated.handle(Request(request.method, request.url.path, headers, body))
        except Hangup as error:
            raise httpx2.RemoteProtocolError("closed without an answer") from error
        content = answer.body[: answer.truncate_at]
        return httpx2.Response(answer.status, headers=[("content-type", answer.content_type), *answer.headers], content=content)
