"""Topic names of what a provider calls as it likes: chosen once from the title, and kept, so that renaming moves no topic."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from bridge.topics import distinct, fold

NONE: Mapping[str, str] = MappingProxyType({})


class Titled(NamedTuple):
    """Something that bears a name on the topics; `name` is empty where none was chosen yet."""

    id: str
    title: str
    name: str = ""


def chosen(
    things: Iterable[Titled], unnamed: str, *, configured: Mapping[str, str] = NONE, reserved: Collection[str] = ()
) -> dict[str, str]:
    """Return the names of `things` by id: the configured one, else the one it has, else one from its title, else `unnamed`."""
    things = list(things)
    names = {thing.id: configured[thing.id] for thing in things if thing.id in configured}
    taken = {*names.values(), *reserved}
    for thing in sorted(things, key=lambda thing: not thing.name):  # those that have a name keep it
        if thing.id not in names:
            names[thing.id] = distinct(thing.name or fold(thing.title) or unnamed, taken)
            taken.add(names[thing.id])
    return names
