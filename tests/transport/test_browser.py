"""What listens for a browser hears one address, from whoever brings the right state, and bears anything else."""

import asyncio

import pytest

from bridge.transport.browser import Loopback


async def answered(loopback: Loopback, target: str, method: str = "GET") -> tuple[str, str]:
    """Return status line and page for a request to the loopback address."""
    host, port = loopback.address.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer.partition("\r\n")[0], answer.rpartition("<p>")[2].partition("</p>")[0]


async def test_the_answer_is_heard_and_its_page_says_where_to_look() -> None:
    async with Loopback(0, "/callback") as loopback:
        loopback.expect("s-1")
        status, page = await answered(loopback, "/callback?code=c&state=s-1")
        assert await loopback.heard() == f"{loopback.address}?code=c&state=s-1"
    assert (status, page) == (
        "HTTP/1.1 200 OK",
        "Thank you. Now go back to the terminal: it says whether you are signed in.",
    )


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/callback?code=c&state=s-2"),
        ("GET", "/callback?code=c"),
        ("GET", "/callback?code=c&state=%F0%9F"),
        ("GET", "/favicon.ico?state=s-1"),
        ("POST", "/callback?code=c&state=s-1"),
        ("GET", "//["),
        ("", ""),
    ],
)
async def test_what_is_not_the_answer_is_sent_away_and_the_answer_still_heard(method: str, target: str) -> None:
    async with Loopback(0, "/callback") as loopback:
        loopback.expect("s-1")
        status, page = await answered(loopback, target, method)
        assert (status, "not the answer" in page) == ("HTTP/1.1 400 Bad Request", True)
        await answered(loopback, "/callback?code=c&state=s-1")
        assert "code=c" in await loopback.heard()


async def test_nobody_is_heard_before_a_state_is_expected() -> None:
    async with Loopback(0, "/callback") as loopback:
        assert (await answered(loopback, "/callback?state="))[0] == "HTTP/1.1 400 Bad Request"


async def test_a_connection_that_says_nothing_too_much_or_breaks_off_disturbs_nobody() -> None:
    async with Loopback(0, "/callback") as loopback:
        loopback.expect("s-1")
        host, port = loopback.address.split("/")[2].split(":")
        silent, broken, endless = [await asyncio.open_connection(host, int(port)) for _ in range(3)]
        broken[1].write(b"GET /call")
        broken[1].close()
        endless[1].write(b"GET /" + b"x" * 40_000)
        await answered(loopback, "/callback?code=c&state=s-1")
        assert "code=c" in await loopback.heard()
    assert await silent[0].read() == b""  # closed with the listener
    for _, writer in (silent, broken, endless):
        writer.close()
