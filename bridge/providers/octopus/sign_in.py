"""The sign-in: a token for an hour, a refresh token for a week, both kept over restarts by their own expiry.

Signing in is itself rate limited, so a program that restarts in a loop must live on what it kept. `refreshExpiresIn` is an
instant (Unix time), whatever its name says; it and `exp` are read as spans from the token's `iat`, as our clock may be wrong.
"""

import asyncio
import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.clock import Clock
from bridge.errors import Denied, Failed, Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.models.price import Instant
from bridge.providers.base import Pocket
from bridge.providers.octopus.documents import SIGN_IN
from bridge.transport.graphql import GraphQL, Json

log = logging.getLogger(__name__)

USUAL_LIFE = timedelta(minutes=60)
LONGEST_LIFE = timedelta(days=60)
EARLY = timedelta(minutes=5)  # before its end a token is renewed; at most a tenth of its life
REFRESH_EARLY = timedelta(minutes=1)
REFUSED_FOR = timedelta(minutes=1)  # so long what failed is not tried again, and the original method not used twice
LONGEST_OUTAGE = timedelta(minutes=15)  # while nobody answers, so long at the most


class Grant(BaseModel):
    """What one sign-in brought."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    token: str
    issued: Instant
    expires: Instant
    refresh_token: str | None = None
    refresh_expires: Instant | None = None

    def is_good(self, moment: datetime) -> bool:
        early = min(EARLY, (self.expires - self.issued) / 10)
        return self.issued <= moment < self.expires - early

    def can_refresh(self, moment: datetime) -> bool:
        if self.refresh_token is None:
            return False
        return self.refresh_expires is None or moment < self.refresh_expires - REFRESH_EARLY


class SignIn:
    """Gives out the token of one account; however many ask at once, one request is made."""

    def __init__(
        self, graphql: GraphQL, credentials: Mapping[str, str], pocket: Pocket, clock: Clock, learn: Callable[[str], None]
    ) -> None:
        self._graphql, self._credentials, self._pocket, self._clock, self._learn = graphql, credentials, pocket, clock, learn
        self._grant: Grant | None = None
        self._failed: tuple[datetime, SourceError] | None = None  # until when none is tried again, and why
        self._unanswered = 0  # sign-ins in a row that came through to nobody
        self._begun: datetime | None = None  # when the original method last brought a token
        self._flight = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is good for some minutes yet. Raises SourceError."""
        async with self._flight:
            if self._grant is None or not self._grant.is_good(self._clock.now()):
                self._grant = self._better(self._grant, self._kept())
            if self._grant is None or not self._grant.is_good(self._clock.now()):
                await self._renew()
            return self._given()

    async def renewed(self, refused: str) -> str:
        """Return another token than the one that was `refused`; whoever comes second gets what the first one got."""
        async with self._flight:
            if self._grant is not None and self._grant.token == refused:
                kept = self._kept()
                newer = kept is not None and kept.token != refused and kept.issued >= self._grant.issued
                if kept is not None and newer and kept.is_good(self._clock.now()):
                    self._grant = kept
                else:
                    await self._renew()
            elif self._grant is None:
                await self._renew()
            return self._given()

    def age(self) -> timedelta:
        """Return how long ago the present token was given out."""
        return self._clock.now() - self._grant.issued if self._grant else timedelta.max

    async def _renew(self) -> None:
        """Sign in; what has just failed is not tried again at once."""
        now = self._clock.now()
        if self._failed is not None and now < self._failed[0] <= now + LONGEST_OUTAGE:
            error = self._failed[1]
            raise type(error)(str(error), retry_after=error.retry_after, reasons=error.reasons)
        try:
            await self._sign_in()
        except RateLimited:  # the budget holds everything back
            raise
        except SourceError as error:
            self._failed = (self._clock.now() + self._hold(error), error)
            raise
        self._failed, self._unanswered = None, 0

    def _hold(self, error: SourceError) -> timedelta:
        """Return for how long none is tried after `error`: every task would try by itself."""
        if _is_answer(error):
            return REFUSED_FOR
        self._unanswered += 1
        return min(REFUSED_FOR * (1 << min(self._unanswered - 1, 10)), LONGEST_OUTAGE)

    async def _sign_in(self) -> None:
        """Sign in by the refresh token, and by the original method where the answer is anything but a new token."""
        grant = self._grant
        if grant is not None and grant.refresh_token is not None and grant.can_refresh(self._clock.now()):
            try:
                self._keep(await self._obtain({"refreshToken": grant.refresh_token}, grant))
            except SourceError as error:
                if not _is_answer(error):
                    raise
                log.info("the refresh token is no longer taken (%s); signing in anew", error)
                self._keep(grant.model_copy(update={"refresh_token": None}))  # once is enough: sign-ins are rate limited
            else:
                return
        await self._begin()

    async def _begin(self) -> None:
        """Sign in by the original method; a token that it brought in the last minute is as good as another."""
        if self._begun is None or not self._is_recent(self._begun):
            self._keep(await self._obtain(self._credentials, None))
            self._begun = self._clock.now()

    def _is_recent(self, moment: datetime) -> bool:
        return moment <= self._clock.now() < moment + REFUSED_FOR

    async def _obtain(self, way: Mapping[str, str], before: Grant | None) -> Grant:
        # without a token: a stale one would be judged before what is asked
        try:
            result = await self._graphql.query(SIGN_IN, {"input": dict(way)}, {}, is_secret=True)
        except (Denied, Refused) as error:  # whatever its code: these credentials do not open the account
            raise Unauthenticated(str(error)) from None
        found = result.data.get("obtainKrakenToken")
        if not isinstance(found, dict) or not isinstance(found.get("token"), str) or not found["token"]:
            if (failed := result.error_at("obtainKrakenToken")) is not None:
                known = self._graphql.error(failed)
                theirs = failed.type == "VALIDATION" or isinstance(known, Denied | Refused)
                raise Unauthenticated(str(known)) if theirs else known
            raise Malformed("the answer to the sign-in holds no token")
        return _grant(found, before, self._clock.now())

    def _better(self, mine: Grant | None, kept: Grant | None) -> Grant | None:
        """Return the grant that another process may have kept, but not one that is older than ours and of no use."""
        if mine is None or kept is None:
            return mine or kept
        return kept if kept.is_good(self._clock.now()) or kept.issued > mine.issued else mine

    def _keep(self, grant: Grant) -> None:
        self._hide(grant)
        self._grant = grant
        self._pocket.write(grant.model_dump_json())

    def _kept(self) -> Grant | None:
        text = self._pocket.read()
        if text is None:
            return None
        try:
            grant = Grant.model_validate_json(text)
        except ValidationError:
            return None
        self._hide(grant)
        return grant

    def _given(self) -> str:
        assert self._grant is not None
        self._hide(self._grant)
        return self._grant.token

    def _hide(self, grant: Grant) -> None:
        for secret in (grant.token, grant.refresh_token):
            if secret is not None:
                self._learn(secret)


def _is_answer(error: SourceError) -> bool:
    """Tell whether the provider itself said no; else nobody did, or it said to wait."""
    return isinstance(error, Failed) or not isinstance(error, RateLimited | Unreachable)


def _grant(found: Json, before: Grant | None, moment: datetime) -> Grant:
    claims = _claims(found)
    issued_at = _number(claims.get("iat"))
    refresh = found.get("refreshToken")
    refresh_until = _instant(_number(found.get("refreshExpiresIn")), issued_at, moment)
    if not isinstance(refresh, str) or not refresh:
        refresh = before.refresh_token if before else None
        refresh_until = before.refresh_expires if before else None
    return Grant(
        token=found["token"],
        issued=moment,
        expires=_instant(_number(claims.get("exp")), issued_at, moment) or moment + USUAL_LIFE,
        refresh_token=refresh,
        refresh_expires=refresh_until,
    )


def _claims(found: Json) -> Json:
    """Return what the token says of itself: `payload`, which comes as an object or as a string of JSON, or its middle part."""
    for claims in (found.get("payload"), found["token"]):
        read = claims if isinstance(claims, dict) else _decoded(claims)
        if isinstance(read, dict) and "exp" in read:
            return read
    return {}


def _decoded(text: object) -> object:
    try:
        if not isinstance(text, str):
            return None
        if text.count(".") == 2:  # noqa: PLR2004 - header, claims, signature (RFC 7519 §3)
            middle = text.split(".")[1]
            text = urlsafe_b64decode(middle + "=" * (-len(middle) % 4)).decode()
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else int(str(value))
    except (ValueError, OverflowError):
        return None


def _instant(unix: int | None, issued_at: int | None, moment: datetime) -> datetime | None:
    """Return the instant `unix` by our clock, which may not be the provider's; None where it tells nothing sensible."""
    if unix is None:
        return None
    now = issued_at if issued_at is not None else int(moment.astimezone(UTC).timestamp())
    left = timedelta(seconds=max(-1, min(unix - now, int(LONGEST_LIFE.total_seconds()))))
    return moment + left if left > timedelta() else None
