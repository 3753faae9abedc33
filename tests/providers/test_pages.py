"""A list is read to its end, once; where it breaks off it goes on, and where it runs in a circle it ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.errors import Malformed, NotFound, RateLimited, Refused, SourceError, Unreachable
from bridge.providers.base.pages import KEPT_FOR, MOST_KEPT, Leaf, Pages
from tests.support import utc

NOON = utc("2026-06-10T12:00")


class Book:
    """`count` items on pages of 100; what stands in `troubles` is raised once at that page."""

    def __init__(self, count: int, **troubles: SourceError) -> None:
        self.count, self.asked = count, 0
        self._troubles = {int(name.removeprefix("page_")): error for name, error in troubles.items()}

    def fail_at(self, page: int) -> None:
        self._troubles[page] = Unreachable("gone")

    async def turn(self, cursor: str | None) -> Leaf:
        begin = int(cursor or 0)
        self.asked += 1
        if (error := self._troubles.pop(begin // 100 + 1, None)) is not None:
            raise error
        end = min(begin + 100, self.count)
        return Leaf(list(range(begin, end)), str(end) if end < self.count else None)


async def read(pages: Pages, book: Book, *, minutes: int = 0, key: str = "meters") -> list[int]:
    return await pages.all(key, "meters", NOON + timedelta(minutes=minutes), book.turn)


@pytest.mark.parametrize(("count", "asked"), [(0, 1), (100, 1), (101, 2), (1000, 10)])
async def test_every_item_comes_once(count: int, asked: int) -> None:
    book = Book(count)
    assert await read(Pages(), book) == list(range(count))
    assert book.asked == asked


async def test_what_broke_off_half_way_goes_on_where_it_broke_off() -> None:
    pages, book = Pages(), Book(1000, page_7=RateLimited("slow down", retry_after=timedelta(seconds=60)))
    with pytest.raises(RateLimited, match=r"^page 7 of meters: slow down$") as caught:
        await read(pages, book)
    assert caught.value.retry_after == timedelta(seconds=60)
    assert await read(pages, book, minutes=1) == list(range(1000))
    assert book.asked == 11


async def test_the_first_page_needs_no_number() -> None:
    with pytest.raises(Unreachable, match=r"^gone$"):
        await read(Pages(), Book(1000, page_1=Unreachable("gone")))


@pytest.mark.parametrize("kind", [Refused, NotFound])
async def test_a_refused_cursor_is_not_asked_for_again(kind: type[SourceError]) -> None:
    pages, book = Pages(), Book(300, page_3=kind("the cursor is no longer valid", reasons=("expired",)))
    with pytest.raises(kind) as caught:
        await read(pages, book)
    assert caught.value.reasons == ("expired",)
    assert await read(pages, book, minutes=1) == list(range(300))
    assert book.asked == 6


@pytest.mark.parametrize("begun_again", [int(KEPT_FOR / timedelta(minutes=1)), -1])
async def test_what_is_old_or_lies_ahead_of_us_is_begun_anew(begun_again: int) -> None:
    pages, book = Pages(), Book(300, page_3=Unreachable("gone"))
    with pytest.raises(Unreachable):
        await read(pages, book)
    assert await read(pages, book, minutes=begun_again) == list(range(300))
    assert book.asked == 6


async def test_a_list_that_moves_on_however_slowly_is_read_to_its_end() -> None:
    pages, book = Pages(), Book(300, page_2=Unreachable("gone"), page_3=Unreachable("gone"))
    for minutes in (0, 14):
        with pytest.raises(Unreachable):
            await read(pages, book, minutes=minutes)
    assert await read(pages, book, minutes=28) == list(range(300))
    assert book.asked == 5


async def test_a_list_that_does_not_move_on_is_begun_anew_in_time() -> None:
    pages, book = Pages(), Book(300, page_2=Unreachable("gone"))
    with pytest.raises(Unreachable):
        await read(pages, book)
    book.fail_at(2)
    with pytest.raises(Unreachable):
        await read(pages, book, minutes=14)
    await read(pages, book, minutes=15)
    assert book.asked == 3 + 3


async def test_another_list_does_not_go_on_where_this_one_broke_off() -> None:
    pages, book = Pages(), Book(300, page_2=Unreachable("gone"))
    with pytest.raises(Unreachable):
        await read(pages, book)
    assert await read(pages, book, key="inverters") == list(range(300))


async def test_only_the_newest_broken_lists_are_kept() -> None:
    pages = Pages()
    for number in range(MOST_KEPT + 1):
        with pytest.raises(Unreachable):
            await read(pages, Book(300, page_2=Unreachable("gone")), key=str(number))
    fresh, newest = Book(300), Book(300)
    await read(pages, fresh, key="0")
    await read(pages, newest, key=str(MOST_KEPT))
    assert (fresh.asked, newest.asked) == (3, 2)


async def test_forgotten_lists_begin_anew() -> None:
    pages, book = Pages(), Book(300, page_2=Unreachable("gone"))
    with pytest.raises(Unreachable):
        await read(pages, book)
    pages.forget()
    await read(pages, book)
    assert book.asked == 5


def circle(*cursors: str) -> Callable[[str | None], object]:
    following = dict(zip((None, *cursors), (*cursors, cursors[0]), strict=True))

    async def turn(cursor: str | None) -> Leaf:
        return Leaf([cursor], following[cursor])

    return turn


@pytest.mark.parametrize(("cursors", "page"), [(("a",), 2), (("a", "b", "c"), 4)])
async def test_a_cursor_that_comes_twice_ends_it(cursors: tuple[str, ...], page: int) -> None:
    with pytest.raises(Malformed, match=f"after page {page} the cursor came twice"):
        await Pages().all("key", "meters", NOON, circle(*cursors))  # type: ignore[arg-type]  # it returns what is awaited


async def test_a_list_without_end_ends() -> None:
    with pytest.raises(Malformed, match="more than 5 pages of meters"):
        await Pages().all("key", "meters", NOON, Book(10_000).turn, most=5)
