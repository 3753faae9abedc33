"""The shelf: the newest message of each topic, sent once, and all of it again after a reconnect."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.message import Message
from bridge.transport.shelf import LARGEST_WAITING, MOST_WAITING, Shelf
from tests.support import settle, utc

NOON, EVENING = utc("2026-06-10T12:00:00"), utc("2026-06-10T18:00:00")
ONE, TWO, THREE = Message("a/one", b"1"), Message("a/two", b"2", EVENING), Message("b/three", b"3", NOON)

NEWS, MORE = Message("a/event", b"news", EVENING, retain=False), Message("a/event", b"more", EVENING, retain=False)


def event(number: int) -> Message:
    return Message("a/event", b"%d" % number, EVENING, retain=False)


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
    filled.put_again(ONE)
    filled.put_again(Message("never/heard/of", b"1"))
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


async def test_events_come_first_and_in_order_and_each_is_sent_though_they_are_alike() -> None:
    assert await taken(shelf(ONE, NEWS, TWO, MORE, NEWS)) == [NEWS, MORE, NEWS, ONE, TWO]


async def test_an_event_stands_on_no_topic_and_is_not_sent_again_after_a_reconnect() -> None:
    filled = shelf(ONE, NEWS)
    assert (filled.messages(), filled.topics(), filled.topics(below="a/"), len(filled)) == ([ONE], ["a/one"], ["a/one"], 2)
    await taken(filled)
    filled.put_all_again()
    assert await taken(filled) == [ONE]


async def test_an_event_that_waits_outlives_a_reconnect() -> None:
    filled = shelf(ONE, NEWS)
    filled.put_all_again()
    assert await taken(filled) == [NEWS, ONE]


async def test_an_event_that_the_broker_may_not_have_taken_is_sent_again_and_first() -> None:
    filled = shelf(NEWS, MORE)
    filled.put_again(await filled.take())
    assert await taken(filled) == [NEWS, MORE]


async def test_an_event_that_is_old_is_dropped() -> None:
    filled = shelf(Message("a/event", b"old", NOON, retain=False), NEWS, ONE)
    filled.drop_expired(NOON)
    assert await taken(filled) == [NEWS, ONE]


async def test_who_finds_nothing_waits_for_the_next_event() -> None:
    empty = Shelf()
    waiting = asyncio.create_task(empty.take())
    await settle()
    empty.put([NEWS])
    assert await waiting == NEWS


async def test_the_shelf_is_not_empty_before_its_last_event_is_taken() -> None:
    filled = shelf(ONE, NEWS)
    waiting = asyncio.create_task(filled.emptied())
    await settle()
    filled.drop_expired(NOON)
    await filled.take()
    filled.put_again(NEWS)
    await filled.take()
    await settle()
    assert not waiting.done()
    await filled.take()
    await waiting


async def test_who_waits_for_an_empty_shelf_is_told_when_its_last_event_is_old() -> None:
    filled = shelf(NEWS)
    waiting = asyncio.create_task(filled.emptied())
    await settle()
    filled.drop_expired(EVENING)
    await asyncio.wait_for(waiting, 1)


TOLD = "more than 20000 answers and events, or 32 MiB, wait for the broker: the oldest are dropped, events first"


async def test_of_too_many_events_the_oldest_are_dropped_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    filled = shelf(*(event(number) for number in range(MOST_WAITING + 3)))
    assert await taken(filled) == [event(number) for number in range(3, MOST_WAITING + 3)]
    assert caplog.messages == [TOLD]
    filled.put(event(number) for number in range(MOST_WAITING + 3))
    assert caplog.messages == [TOLD] * 2


async def test_an_event_that_comes_back_to_a_full_queue_is_the_oldest(caplog: pytest.LogCaptureFixture) -> None:
    filled = shelf(*(event(number) for number in range(MOST_WAITING)))
    first = await filled.take()
    filled.put([event(MOST_WAITING)])
    filled.put_again(first)
    assert await taken(filled) == [event(number) for number in range(1, MOST_WAITING + 1)]
    assert caplog.messages == [TOLD]


def answer(number: int) -> Message:
    return Message("response/a/b/c", b"%d" % number, EVENING, retain=False, answer=True)


async def test_answers_come_before_events_and_events_before_the_rest() -> None:
    assert await taken(shelf(ONE, NEWS, answer(1), TWO, MORE, answer(2))) == [answer(1), answer(2), NEWS, MORE, ONE, TWO]


async def test_an_answer_stands_on_no_topic_is_sent_once_and_outlives_a_reconnect() -> None:
    filled = shelf(ONE, answer(1), answer(1))
    assert (filled.messages(), filled.topics(), len(filled)) == ([ONE], ["a/one"], 3)
    filled.put_all_again()
    assert await taken(filled) == [answer(1), answer(1), ONE]
    filled.put_all_again()
    assert await taken(filled) == [ONE]


async def test_an_answer_that_the_broker_may_not_have_taken_is_sent_again_and_first() -> None:
    filled = shelf(answer(1), answer(2), NEWS)
    filled.put_again(await filled.take())
    assert await taken(filled) == [answer(1), answer(2), NEWS]


async def test_an_answer_that_is_old_is_dropped() -> None:
    filled = shelf(answer(1)._replace(expires_at=NOON), answer(2), NEWS)
    filled.drop_expired(NOON)
    assert await taken(filled) == [answer(2), NEWS]


async def test_no_flood_of_events_costs_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    filled = shelf(answer(1), *(event(number) for number in range(2 * MOST_WAITING)), answer(2))
    newest = [event(number) for number in range(MOST_WAITING + 2, 2 * MOST_WAITING)]
    assert await taken(filled) == [answer(1), answer(2), *newest]
    assert caplog.messages == [TOLD]


async def test_twenty_thousand_answers_fit_and_take_the_room_of_events(caplog: pytest.LogCaptureFixture) -> None:
    filled = shelf(NEWS, MORE, *(answer(number) for number in range(MOST_WAITING)))
    assert await taken(filled) == [answer(number) for number in range(MOST_WAITING)]
    assert (MOST_WAITING, caplog.messages) == (20_000, [TOLD])


async def test_of_too_many_answers_the_oldest_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    filled = shelf(*(answer(number) for number in range(MOST_WAITING + 3)))
    assert await taken(filled) == [answer(number) for number in range(3, MOST_WAITING + 3)]
    assert caplog.messages == [TOLD]


async def test_large_answers_never_take_more_memory_than_a_small_machine_has(caplog: pytest.LogCaptureFixture) -> None:
    large = [Message("response/a/b/c", bytes([number]) * 2**20, retain=False, answer=True) for number in range(40)]
    filled = shelf(NEWS, *large)
    assert [message.payload[0] for message in await taken(filled)] == list(range(8, 40))
    assert (LARGEST_WAITING, caplog.messages) == (2**25, [TOLD])


@given(st.lists(st.tuples(st.sampled_from(["put", "again", "take", "expire"]), st.booleans(), st.binary(max_size=3))))
def test_the_size_of_what_waits_is_never_lost_count_of(steps: list[tuple[str, bool, bytes]]) -> None:
    filled = Shelf()
    for step, is_answer, payload in steps:
        message = Message("a/b", payload, NOON if payload else EVENING, retain=False, answer=is_answer)
        match step:
            case "put":
                filled.put([message])
            case "again":
                filled.put_again(message)
            case "take" if len(filled):
                asyncio.run(filled.take())
            case "expire":
                filled.drop_expired(NOON)
        assert filled._size == sum(len(message.payload) for message in (*filled._answers, *filled._events))


async def test_what_is_told_in_another_shape_too_goes_and_is_cleared_with_its_message() -> None:
    also = Shelf(lambda message: [Message(f"other/{message.topic}", message.payload.upper(), message.expires_at)])
    also.put([Message("a", b"x", NOON)])
    assert await taken(also) == [Message("a", b"x", NOON), Message("other/a", b"X", NOON)]
    also.clear(["a"])
    assert await taken(also) == [Message("a", b""), Message("other/a", b"")]
