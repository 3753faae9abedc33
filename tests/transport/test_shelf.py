"""The shelf: the newest message of each topic, sent once, and all of it again after a reconnect."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bridge.models.message import Message
from bridge.transport.shelf import Shelf
from tests.support import settle, utc

NOON, EVENING = utc("2026-06-10T12:00:00"), utc("2026-06-10T18:00:00")
ONE, TWO, THREE = Message("a/one", b"1"), Message("a/two", b"2", EVENING), Message("b/three", b"3", NOON)


def shelf(*messages: Message) -> Shelf:
    filled = Shelf()
    filled.put(messages)
    return filled


async def taken(shelf: Shelf) -> list[Message]:
    """Take all that waits."""
    return [await shelf.take() for _ in range(len(shelf))]


async def test_messages_are_taken_in_the_order_in_which_they_came() -> None:
    assert await taken(shelf(TWO, ONE, THREE)) == [TWO, ONE, THREE]


async def test_of_one_topic_only_the_newest_is_sent() -> None:
    newer = ONE._replace(payload=b"newer")
    assert await taken(shelf(ONE, TWO, newer)) == [newer, TWO]


async def test_a_message_that_says_nothing_new_is_not_sent_again() -> None:
    filled = shelf(ONE, TWO)
    await taken(filled)
    filled.put([ONE, TWO._replace(expires_at=NOON)])
    assert await taken(filled) == [TWO._replace(expires_at=NOON)]


async def test_who_finds_nothing_waits_for_the_next_message() -> None:
    empty = Shelf()
    waiting = asyncio.create_task(empty.take())
    await settle()
    assert not waiting.done()
    empty.put([ONE])
    assert await waiting == ONE


async def test_each_message_goes_to_one_of_those_who_wait() -> None:
    empty = Shelf()
    waiting = [asyncio.create_task(empty.take()) for _ in range(3)]
    await settle()
    empty.put([ONE, TWO])
    await settle()
    assert sorted(task.result() for task in waiting if task.done()) == [ONE, TWO]
    empty.put([THREE])
    await asyncio.gather(*waiting)


async def test_who_gives_up_waiting_takes_nothing_along() -> None:
    empty = Shelf()
    waiting = asyncio.create_task(empty.take())
    await settle()
    empty.put([ONE])
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await taken(empty) == [ONE]


async def test_after_a_reconnect_all_of_it_is_sent_again() -> None:
    filled = shelf(ONE, TWO, THREE)
    await taken(filled)
    filled.put_all_again()
    assert await taken(filled) == [ONE, TWO, THREE]


async def test_a_message_that_may_be_lost_is_sent_again_as_it_is_by_then() -> None:
    filled = shelf(ONE, TWO)
    await taken(filled)
    filled.put([ONE._replace(payload=b"newer")])
    await taken(filled)
    filled.put_again("a/one")
    filled.put_again("never/heard/of")
    assert await taken(filled) == [ONE._replace(payload=b"newer")]


async def test_what_has_expired_does_not_come_back() -> None:
    filled = shelf(ONE, TWO, THREE)
    await filled.take()
    filled.drop_expired(NOON)
    assert (filled.messages(), await taken(filled)) == ([ONE, TWO], [TWO])
    filled.put_all_again()
    assert await taken(filled) == [ONE, TWO]


async def test_a_cleared_topic_is_emptied_at_the_broker_and_listed_no_more() -> None:
    filled = shelf(ONE, TWO)
    await taken(filled)
    filled.clear(["a/one", "left/over"])
    assert (filled.messages(), filled.topics(), len(filled)) == ([TWO], ["a/two"], 2)
    assert await taken(filled) == [Message("a/one", b""), Message("left/over", b"")]


def test_topics_are_listed_by_their_beginning() -> None:
    assert shelf(ONE, TWO, THREE).topics(below="a/") == ["a/one", "a/two"]


async def test_who_waits_for_an_empty_shelf_is_told_at_the_last_message() -> None:
    filled = shelf(ONE, TWO)
    waiting = asyncio.create_task(filled.emptied())
    await filled.take()
    await settle()
    assert not waiting.done()
    await filled.take()
    await waiting
    await filled.emptied()


async def test_who_waits_for_an_empty_shelf_is_told_when_the_rest_expires() -> None:
    filled = shelf(THREE)
    waiting = asyncio.create_task(filled.emptied())
    await settle()
    filled.drop_expired(NOON)
    await settle()
    told = waiting.done()
    waiting.cancel()
    assert told


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.binary(max_size=2))))
def test_the_shelf_is_bounded_by_its_topics_and_holds_the_newest(pairs: list[tuple[str, bytes]]) -> None:
    newest = dict(pairs)
    filled = shelf(*(Message(topic, payload) for topic, payload in pairs))
    assert {message.topic: message.payload for message in filled.messages()} == {t: p for t, p in newest.items() if p}
    assert len(filled) == len(newest)
