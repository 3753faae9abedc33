"""Reads a profile and names every fault in it: the file, the key there and the mend.

The documents of the shipped one are judged by the tests, those of a user's own with the rest of the configuration: only then is a
GraphQL library loaded.
"""

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bridge.errors import Fault, Misconfigured
from bridge.faults import Origin, found_by, nearest
from bridge.providers.ampere.expression import Expression
from bridge.providers.ampere.profile import WORDS, Document, Profile

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("ampere.toml")


def faults(file: Path) -> list[Fault]:
    """Return what is wrong with the profile in `file`, its documents too."""
    try:
        profile = read(file)
    except Misconfigured as error:
        return list(error.faults)
    return [] if _text(file) == SHIPPED.read_text("utf-8") else list(_judged(profile, str(file)))


def read(file: Path) -> Profile:
    """Return the profile in `file`, its documents unread. Raises Misconfigured."""
    try:
        profile = Profile.model_validate(tomllib.loads(_text(file)))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, f"is not TOML: {error}", "mend the line (https://toml.io)") from None
    except ValidationError as error:
        raise Misconfigured(list(found_by(error, "", Profile, Origin(file)))) from None
    if found := list(_faults(profile, str(file))):
        raise Misconfigured(found)
    return profile


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        mend = "give the path of a profile, or leave it out for the one that comes with kwh2mqtt"
        raise _unreadable(file, f"cannot be read ({error.strerror})", mend) from None
    except UnicodeDecodeError:
        raise _unreadable(file, "is not UTF-8 text", "save it as UTF-8") from None


def _unreadable(file: Path, problem: str, mend: str) -> Misconfigured:
    return Misconfigured([Fault("", problem, mend, str(file))])


def _faults(profile: Profile, file: str) -> Iterator[Fault]:
    """Yield what can be told without reading a document."""
    for section, document in profile.documents().items():
        for name, word in document.variables.items():
            if word not in WORDS[section]:
                yield Fault(
                    f"{section}.variables.{name}",
                    f"{word} is none of our words",
                    f"use one of: {', '.join(WORDS[section])}",
                    file,
                )
        if (document.next is None) == document.told("after"):
            yield Fault(f"{section}.next", "and a variable that is told `after` belong together", "give both, or none", file)
    if (profile.companies is None) == profile.facilities.told("company"):
        mend = "add a section [companies], and tell a variable of [facilities] `company`; or leave both out"
        yield Fault("companies", "is there to tell [facilities] of which company they are", mend, file)
    if profile.poll.told("facility") == profile.poll.told("facilities"):
        yield Fault(
            "poll.variables", "must tell for which facility it asks", "tell a variable either facility or facilities", file
        )
    if profile.poll.told("facilities") and any(series.facility is None for series in profile.poll.series):
        yield Fault(
            "poll.series", "lacks facility, as one answer holds several", "say where a facility's id stands in `each`", file
        )


def _judged(profile: Profile, file: str) -> Iterator[Fault]:
    """Yield what is wrong with the documents themselves; what an expression looks for in vain is but a line in the log."""
    from bridge.transport.document import parsed

    for section, document in profile.documents().items():
        try:
            judged = parsed(document.document)
        except Misconfigured as error:
            yield from (Fault(f"{section}.document", fault.problem, fault.mend, file) for fault in error.faults)
            continue
        if judged.kind == "write":
            yield Fault(f"{section}.document", "is a mutation", "ask with a query; writes are for documents of your own", file)
        required = {variable.name for variable in judged.variables if variable.required}
        yield from _variables(section, document, {variable.name for variable in judged.variables}, required, file)
        for key, name in _names(document):  # a scalar may be JSON, which has more in it than the document tells
            if name not in judged.keys:
                mend = nearest(name, sorted(judged.keys))
                log.warning("%s: %s.%s looks for %s, which the document does not ask for; %s", file, section, key, name, mend)


def _variables(section: str, document: Document, declared: set[str], required: set[str], file: str) -> Iterator[Fault]:
    for name in sorted(document.variables.keys() - declared):
        mend = f"declare ${name} there, or take it out here"
        yield Fault(f"{section}.variables.{name}", "is no variable that the document declares", mend, file)
    for name in sorted(required - document.variables.keys()):
        mend = f'say what it is told: {name} = "{WORDS[section][0]}", or another of our words'
        yield Fault(f"{section}.variables.{name}", "is missing, and the document wants it", mend, file)


def _names(part: BaseModel, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each key of an expression in `part`, and each field that it looks for."""
    for key, value in part:
        if isinstance(value, Expression):
            yield from ((f"{above}{key}", name) for name in sorted(value.names))
        elif isinstance(value, BaseModel):
            yield from _names(value, f"{above}{key}.")
        elif isinstance(value, tuple):
            for number, inner in enumerate(value):
                yield from _names(inner, f"{above}{key}.{number}.")
