"""The desk: takes each command, and sees to it that it is answered once, on the client's own topic, whatever happens.

who → what → may they → seen it → do it → answer.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from bridge.clock import SANE, Clock
from bridge.commands import answer
from bridge.commands.authorise import Grants, is_allowed, refusal
from bridge.commands.command import Command, Internal, NotReady, Stopping
from bridge.commands.limits import Rate
from bridge.commands.offer import Offer, Offers, Personal
from bridge.commands.once import NOT_SENT, Given, NotSent, Once, Write
from bridge.commands.request import Reply, body_of, deadline, reply_to, told
from bridge.commands.results import Audited
from bridge.commands.settings import CommandsSettings
from bridge.commands.shared import LONGEST, Seats, Shared
from bridge.errors import BadRequest, BridgeError, Malformed, NotGranted, OutcomeUnknown, TimedOut, TooMany, UnknownOperation
from bridge.models.message import Arrival, Message
from bridge.providers.base import Kind
from bridge.redact import Redactor
from bridge.state.budget import KEPT_BACK
from bridge.state.ledger import Ledger
from bridge.topics import Errand, Topics, is_publishable
from bridge.transport.http import SENDING, Sending, unknown

log = logging.getLogger(__name__)

ANSWER_LIVES = timedelta(minutes=5)  # without a connection to the broker
LAST_WRITES_S = 5.0  # that writes under way are given when we are asked to stop
FOR_POLLS = 0.25  # the share of a source's request budget that commands leave alone: no device may starve the prices
LONGEST_TEXT = 500  # characters of a message
LONGEST_NAME = 64  # of a foreign name that a message repeats
MOST_RETAINED = 1000  # retained commands that are remembered as refused


class Desk:
    """Takes commands and answers them."""

    def __init__(
        self,
        topics: Topics,
        offers: Offers,
        grants: Grants,
        settings: CommandsSettings,
        ledger: Ledger,
        clock: Clock,
        redact: Redactor,
        publish: Callable[[Message], None],
    ) -> None:
        self._topics, self._offers, self._grants, self._ledger = topics, offers, grants, ledger
        self._clock, self._redact, self._publish = clock, redact, publish
        self._rate, self._write_rate = Rate(settings.per_minute), Rate(settings.writes_per_minute)
        self._seats = Seats(settings.concurrent)
        self._shared, self._once = Shared(self._seats), Once(ledger, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: dict[int, None] = {}  # retained commands that have been refused
        self._stopping = False

    async def run(self) -> None:
        """Answer what an earlier process left unfinished; then stay until cancelled, and let writes come to their end.

        Whoever has waited for anything else by then, or asks later, is told that we stop.
        """
        try:
            while self._clock.now() < SANE:  # by a clock that is not set, what is kept of a write would soon be forgotten
                await self._clock.sleep_until(SANE)
            self._settle(self._clock.now())
            await asyncio.Event().wait()
        finally:
            self._stopping = True
            await self._once.finished(LAST_WRITES_S)
            await self._shared.closed()
            await asyncio.sleep(0)  # those who waited for them answer
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def arrived(self, arrival: Arrival) -> None:
        """Take a command; what is no command's topic, or leaves none for an answer, is let pass."""
        errand = self._topics.command(arrival.topic)
        if errand is None or not is_publishable(self._topics.response(errand)):
            return
        if arrival.retained and not self._is_news(arrival):
            return
        task = asyncio.create_task(self._answer(errand, arrival), name="command")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, errand: Errand, arrival: Arrival) -> None:
        reply, misplaced = reply_to(arrival, errand, self._topics)
        command = Command(errand, reply, arrival, self._clock.now())
        try:
            self._admit(command)  # what is over a limit is not even noted: a device that runs wild must not fill the log
            command = replace(command, offer=self._offers.get((errand.source, errand.operation)))
            if misplaced is not None:
                raise misplaced
            command = self._read(command)
            given = await self._carried_out(command)
        except asyncio.CancelledError:
            if command.offer is not None and command.offer.kind is Kind.WRITE:
                raise  # it was cut off: the next process answers
            given = self._failure(command, Stopping("the bridge stops: ask again when it is back"))
        except Exception as error:  # noqa: BLE001 - every command is answered
            given = self._failure(command, error.error if isinstance(error, NotSent) else error)
        self._send(reply, given, is_write=command.offer is not None and command.offer.kind is Kind.WRITE)
        self._audit(command, given)

    def _admit(self, command: Command) -> None:
        """Raise where no command is taken now, or none of this client's."""
        if self._stopping:
            raise Stopping("the bridge stops: ask again when it is back")
        if command.moment < SANE:
            raise NotReady(
                "the clock of this machine is not set yet, and what is kept of a write is kept by time; try again soon"
            )
        if (wait := self._rate.wait(command.errand.client, command.moment)) is not None:
            raise TooMany("too many commands from this client", retry_after=wait)

    def _read(self, command: Command) -> Command:
        """Return the command with its body. Raises CommandError."""
        body = body_of(command.arrival, command.moment)
        if command.offer is None:
            raise UnknownOperation(self._what_there_is(command.errand))
        return replace(command, body=body)

    async def _carried_out(self, command: Command) -> Given:
        offer, body, client = command.offer, command.body, command.errand.client
        assert offer is not None
        if not is_allowed(client, offer.source, offer.name, offer.kind, self._grants):
            raise NotGranted(refusal(client, offer.source, offer.name, offer.kind))
        try:
            given = offer.read(body.args)
        except ValidationError as error:
            raise BadRequest(f"args: {told(error, offer.arguments)}") from None
        except OverflowError:
            raise BadRequest("args: an instant in them lies beyond all years") from None
        if offer.kind is Kind.WRITE and body.id is None:
            raise BadRequest("id: is missing; a write needs one, so that it is done once however often it is sent")
        if body.dry_run:
            return self._ok(command, {})
        if offer.kind is Kind.WRITE:
            return await self._written(command, offer, given)
        if not offer.remote:
            asked = Personal(client, given) if offer.personal else given
            return self._ok(command, await offer.run(asked, command.moment))
        until = deadline(body, command.arrival, command.moment, LONGEST)
        key = f"{offer.full_name} {_canonical(body.args)}"
        patience_s = (until - self._clock.now()).total_seconds()
        return self._ok(command, await self._shared.asked(key, partial(self._asked, offer, given, command.moment), patience_s))

    async def _asked(self, offer: Offer, given: Any, moment: datetime) -> Any:
        KEPT_BACK.set(FOR_POLLS)
        return answer.plain(await offer.run(given, moment))

    async def _written(self, command: Command, offer: Offer, given: Any) -> Given:
        id_, client = command.body.id, command.errand.client
        assert id_ is not None
        write = Write(client, id_, _digest(command, given), command.reply.encoded())
        work = partial(self._sent, command, offer, given)
        return await self._once.answered(write, command.moment, partial(self._admit_write, command), work)

    def _admit_write(self, command: Command) -> None:
        self._seats.must_be_free()
        if (wait := self._write_rate.wait(command.errand.client, command.moment)) is not None:
            raise TooMany("too many writes from this client", retry_after=wait)

    async def _sent(self, command: Command, offer: Offer, given: Any) -> Given:
        """Return the answer to a write that is sent now. Raises only where it certainly was not."""
        KEPT_BACK.set(FOR_POLLS)
        sending = Sending(deadline(command.body, command.arrival, command.moment, LONGEST))
        SENDING.set(sending)
        try:
            with self._seats.taken():
                async with asyncio.timeout(LONGEST.total_seconds()):
                    return self._ok(command, await offer.run(given, command.moment))
        except NOT_SENT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept with the write
            if sending.asked and not sending.sent:  # a sign-in that failed, a home that was not found
                raise NotSent(TimedOut("no answer came in time") if isinstance(error, TimeoutError) else error) from None
            return self._kept(command, error)

    def _kept(self, command: Command, error: Exception) -> Given:
        """Return the answer to a write that may have been done."""
        if isinstance(error, TimeoutError):
            text = f"the provider did not answer in {LONGEST.total_seconds():.0f} s: whether it was done, only it knows"
            return self._failure(command, OutcomeUnknown(text))
        return self._failure(command, unknown(error) if isinstance(error, Malformed) else error)

    def _settle(self, moment: datetime) -> None:
        """Answer the writes that an earlier process began: nobody knows what became of them."""
        self._ledger.forget(moment)
        error = OutcomeUnknown("the bridge was cut off half-way: whether it was done, only the provider knows")
        for left in self._ledger.unfinished():
            if self._once.is_under_way(left.client, left.id):  # it is ours: it came between the clock's being set and now
                continue
            try:
                reply = Reply.decoded(left.reply)
            except (ValueError, TypeError):
                log.warning("what the state file holds of write %r of %r cannot be read", left.id, left.client)
                continue
            given = answer.failed(left.id, reply.operation, error, timedelta(), self._told)
            self._ledger.finish(left.client, left.id, answer.encoded(given), moment)
            self._send(reply, given)
            log.warning("write %s of %r, id %r, was cut off: look whether it was done", reply.operation, left.client, left.id)
            self._note(left.begun, left.client, given)

    # answers

    def _ok(self, command: Command, data: Any) -> Given:
        return answer.ok(command.body.id, command.name, data, self._clock.now() - command.moment)

    def _failure(self, command: Command, error: Exception) -> Given:
        if not isinstance(error, BridgeError):
            log.error("%s: an unforeseen fault", command.name[:LONGEST_NAME], exc_info=error)
            error = Internal(f"{type(error).__name__}; the log of the bridge has the details")
        return answer.failed(command.id, command.name, error, self._clock.now() - command.moment, self._told)

    def _told(self, text: str) -> str:
        return self._redact(text)[:LONGEST_TEXT]

    def _send(self, reply: Reply, given: Given, *, is_write: bool = False) -> None:
        message = Message(reply.topic, answer.encoded(given), self._clock.now() + ANSWER_LIVES, retain=False, answer=True)
        self._publish(
            message._replace(
                qos=reply.qos, correlation=reply.correlation, instead=answer.instead(given, message.payload, is_write=is_write)
            )
        )

    def _audit(self, command: Command, given: Given) -> None:
        if command.offer is not None and command.offer.kind is Kind.WRITE and not command.body.dry_run:
            self._note(command.moment, command.errand.client, given)

    def _note(self, at: datetime, client: str, given: Given) -> None:
        """Tell of a write, refused or done: without its arguments, which may be personal."""
        outcome = "ok" if given["status"] == "ok" else given["error"]["code"]
        line: Audited = {
            "at": at,
            "client": client,
            "operation": given["operation"],
            "id": given["id"],
            "outcome": outcome,
            "replayed": given.get("replayed", False),
            "duration_ms": given["duration_ms"],
        }
        log.info("write %s by %r, id %r: %s", given["operation"], client, given["id"], outcome)  # %r: they may hold line ends
        payload = answer.encoded(answer.plain(line))
        self._publish(Message(self._topics.bridge("audit"), payload, self._clock.now() + ANSWER_LIVES, retain=False))

    def _what_there_is(self, errand: Errand) -> str:
        own = sorted(offer.name for offer in self._offers.values() if offer.source == errand.source)
        if own:
            return f"{errand.source} has no operation {errand.operation[:LONGEST_NAME]}; it has: {', '.join(own)}"
        sources = sorted({offer.source for offer in self._offers.values()})
        return f"there is no source {errand.source[:LONGEST_NAME]}; there is: {', '.join(sources) or 'none'}"

    def _is_news(self, arrival: Arrival) -> bool:
        """Tell whether this retained command has not been refused yet: it comes again with every connect."""
        key = hash((arrival.topic, arrival.payload, arrival.response_topic, arrival.correlation))
        if not arrival.payload or key in self._refused:
            return False
        self._refused[key] = None
        if len(self._refused) > MOST_RETAINED:
            del self._refused[next(iter(self._refused))]
        return True


def _canonical(args: Any) -> str:
    return json.dumps(args, sort_keys=True, separators=(",", ":"))


def _digest(command: Command, given: Any) -> str:
    """Return what tells one write from another: the arguments as they were understood, not as they were written."""
    told = given.model_dump_json() if isinstance(given, BaseModel) else _canonical(command.body.args)
    return hashlib.sha256(f"{command.name} {told}".encode()).hexdigest()
