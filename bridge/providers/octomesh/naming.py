"""Names of construction-kit types on the wire: pure. `Industry.Energy/EnergyMeter` is a field of another name in each dialect.

Nothing leads back from a field to its type, so a name that nobody knows is told beside the field that is most like it.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

TYPE = r"[A-Za-z]\w*(\.\w+)*/[A-Za-z]\w*"  # a construction-kit type without versions
ATTRIBUTE = r"[A-Za-z_]\w*"
OBJECT_ID = r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}"  # 24 hexadecimal digits at the published server


def pascal(type_: str) -> str:
    """Return `IndustryEnergyEnergyMeter` for `Industry.Energy/EnergyMeter`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[./]", type_))


def camel(type_: str) -> str:
    """Return `industryEnergyEnergyMeter` for `Industry.Energy/EnergyMeter`."""
    whole = pascal(type_)
    return whole[:1].lower() + whole[1:]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that is most like `name`, whatever the case, or None where none is."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def hint(name: str, known: Iterable[str]) -> str:
    """Return the words that lead on from a wrong name: `; the nearest is power`, or nothing."""
    found = nearest(name, known)
    return f"; the nearest is {found}" if found else ""
