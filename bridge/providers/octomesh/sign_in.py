"""The sign-in: a token for an hour, kept over restarts, anew before its end; where a person signed in, by a refresh token.

A refresh token is good for one use, also for a `kwh2mqtt poll` beside us: the pocket is read anew before each use, and whoever
finds his own used up looks there again. How long a token lives is told as a span, as our clock may be wrong.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta

from pydantic import ValidationError

from bridge.errors import Failed, Fault, Misconfigured, NotSignedIn, RateLimited, SourceError, Unauthenticated, Unreachable
from bridge.providers.base import Surroundings
from bridge.providers.octomesh import person
from bridge.providers.octomesh.client import Client, Flow
from bridge.providers.octomesh.grant import Grant, Kept
from bridge.transport import browser as machine
from bridge.transport import oauth
from bridge.transport.http import Form
from bridge.transport.oauth import Granted

log = logging.getLogger(__name__)

USUAL_LIFE = timedelta(hours=1)  # where nothing is said
REFUSED_FOR = timedelta(minutes=1)  # so long what failed is not tried again, and no second token got for a refused one
LONGEST_OUTAGE = timedelta(minutes=15)  # while nobody answers, so long at the most
GRACE_S = 5.0  # for a renewal that is under way when nobody waits for it any more


class SignIn:
    """Gives out the token of one client; however many ask at once, one request is made."""

    def __init__(self, client: Client, about: Surroundings, show: Callable[[str], object] = machine.show) -> None:
        """`show` opens an address in a browser."""
        self._client, self._about, self._show = client, about, show
        self._scope = client.wanted(may_write=about.may_write)
        self._mark = client.mark(self._scope)
        self._grant: Grant | None = None
        self._spent: str | None = None  # a refresh token that is no longer taken
        self._failed: tuple[datetime, SourceError] | None = None  # until when none is tried again, and why
        self._unanswered = 0  # sign-ins in a row that came through to nobody
        self._forced: datetime | None = None  # when a token was last renewed though it looked good
        self._flight = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is good for some minutes yet, or at least now. Raises SourceError."""
        async with self._flight:
            if not self._is_good():
                self._take_kept()
            if not self._is_good():
                try:
                    await self._renew()
                except SourceError:
                    if self._grant is None or not self._grant.is_alive(self._about.clock.now()):
                        raise
            return self._given()

    async def renewed(self, refused: str) -> str:
        """Return another token than the one that was `refused`; whoever comes second gets what the first one got.

        Within a minute of the last time it is the same one: then it is not the token's fault. Raises SourceError.
        """
        async with self._flight:
            if self._grant is None or self._grant.token == refused:
                self._take_kept()
            if self._grant is None or not self._is_good():
                await self._renew()
            elif self._grant.token == refused and not self._is_recent(self._forced):
                await self._renew()
                self._forced = self._about.clock.now()
            return self._given()

    async def login(self, tell: Callable[[str], None], *, browser: bool) -> str:
        """Sign in with a person's help and keep the tokens; return what to say at the end. Raises SourceError, Misconfigured."""
        client, about = self._client, self._about
        if not client.needs_person:
            problem = f"{about.name} signs in by itself with its client_secret: there is nobody to ask"
            raise Misconfigured([Fault(f"sources.{about.name}", problem, "try it with kwh2mqtt check --online")])
        if browser or client.way == Flow.BROWSER:
            granted = await person.by_browser(client, self._scope, about, tell, self._show)
        else:
            granted = await person.by_code(client, self._scope, about, tell)
        self._keep(granted, about.clock.now(), None)
        if granted.refresh_token is None:
            return "signed in, but for this once: let the client have the scope offline_access, or it ends within hours"
        return "signed in; a running bridge takes it up by itself within a minute"

    async def _renew(self) -> None:
        """Get a new token; what has just failed is not tried again at once."""
        now = self._about.clock.now()
        if self._failed is not None and now < self._failed[0] <= now + LONGEST_OUTAGE:
            error = self._failed[1]
            raise type(error)(str(error), retry_after=error.retry_after, reasons=error.reasons)
        try:
            await _to_its_end(self._refresh() if self._client.needs_person else self._begin())
        except (RateLimited, NotSignedIn):  # the budget holds everything back; nothing was sent
            raise
        except SourceError as error:
            self._failed = (self._about.clock.now() + self._hold(error), error)
            raise
        self._failed, self._unanswered = None, 0

    def _hold(self, error: SourceError) -> timedelta:
        """Return for how long none is tried after `error`: every task would try by itself."""
        if isinstance(error, Failed) or not isinstance(error, Unreachable):
            return REFUSED_FOR
        self._unanswered += 1
        return min(REFUSED_FOR * (1 << min(self._unanswered - 1, 10)), LONGEST_OUTAGE)

    async def _begin(self) -> None:
        """Sign in as the client itself."""
        now = self._about.clock.now()
        self._keep(await self._asked(oauth.by_secret(self._client.application(), self._scope)), now, None)

    async def _refresh(self) -> None:
        """Sign in by what a person left; whether another process did so meanwhile is known only where ours is not taken."""
        now, refresh_token = self._about.clock.now(), self._grant.refresh_token if self._grant else None
        if refresh_token is None or refresh_token == self._spent:
            raise self._awaited("the sign-in has ended" if self._grant else "no sign-in is kept")
        try:
            granted = await self._asked(oauth.by_refresh_token(self._client.application(), refresh_token))
        except Unauthenticated as error:
            if "invalid_grant" not in error.reasons:
                raise
            self._spent, before = refresh_token, self._grant
            self._take_kept()
            if self._grant is before or not self._is_good():
                raise self._awaited(str(error)) from None
            log.debug("%s: another process was quicker to renew the token", self._about.name)
        else:
            self._keep(granted, now, refresh_token)

    def _awaited(self, reason: str) -> NotSignedIn:
        return NotSignedIn(f"{reason}: a person has to sign in; run kwh2mqtt login {self._about.name}")

    async def _asked(self, form: Form) -> Granted:
        answer = await person.asked(self._about.http, self._client.endpoint("token"), form)
        return oauth.granted(answer, self._about.redact)

    def _is_good(self) -> bool:
        return self._grant is not None and self._grant.is_good(self._about.clock.now())

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and moment <= self._about.clock.now() < moment + REFUSED_FOR

    def _take_kept(self) -> None:
        """Take what another process may have kept, but not what is older than ours and of no use."""
        kept = self._kept().of(self._mark)
        if kept is None or kept.token == (self._grant and self._grant.token):
            return
        self._hide(kept)
        is_better = kept.is_good(self._about.clock.now()) and not self._is_good()
        if self._grant is None or kept.issued > self._grant.issued or is_better:
            self._grant = kept

    def _keep(self, granted: Granted, moment: datetime, refresh_token: str | None) -> None:
        """Keep what was given at `moment`; where there is no new refresh token, the one there was."""
        self._grant = Grant(
            mark=self._mark,
            token=granted.token,
            issued=moment,
            expires=moment + (granted.life or USUAL_LIFE),
            refresh_token=granted.refresh_token or refresh_token,
        )
        self._about.tokens.write(self._kept().with_(self._grant).model_dump_json())

    def _kept(self) -> Kept:
        text = self._about.tokens.read()
        try:
            return Kept.model_validate_json(text) if text else Kept()
        except ValidationError:
            return Kept()

    def _given(self) -> str:
        assert self._grant is not None
        self._hide(self._grant)
        return self._grant.token

    def _hide(self, grant: Grant) -> None:
        for secret in filter(None, (grant.token, grant.refresh_token)):
            self._about.redact.learn(secret)


async def _to_its_end(renewal: Coroutine[None, None, None]) -> None:
    """Wait for `renewal`, which goes on for a while where the waiting is cancelled: what it has sent is used up, heard or not."""
    task = asyncio.create_task(renewal, name="renewal")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=GRACE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
