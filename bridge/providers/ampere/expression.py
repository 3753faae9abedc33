"""A JMESPath expression of the profile. Only this module knows jmespath, which is loaded with the first one.

Its functions know no Decimal, which is what numbers with a fraction come as: arithmetic is for the profile's `factor`.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from bridge.errors import Malformed


class Expression:
    """What finds something in an answer; `names` are the fields that it looks for, wherever they stand."""

    def __init__(self, text: str) -> None:
        """Raises ValueError where `text` is no JMESPath."""
        import jmespath

        self.text = text
        try:
            self._compiled = jmespath.compile(text)
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"is no JMESPath ({_line(error)})") from None
        self.names = frozenset(_fields(self._compiled.parsed)) - frozenset(_made(self._compiled.parsed))

    def __call__(self, value: Any) -> Any:
        """Return what it finds in `value`, None where there is nothing. Raises Malformed where it cannot be applied."""
        import jmespath

        try:
            return self._compiled.search(value)
        except jmespath.exceptions.JMESPathError as error:
            raise Malformed(f"{self.text!r} cannot be applied to the answer ({_line(error)})") from None

    def list(self, value: Any) -> list[Any]:
        """Return the list that it finds. Raises Malformed where it finds none."""
        found = self(value)
        if not isinstance(found, list):
            raise Malformed(f"{self.text!r} found {'nothing' if found is None else 'no list'} in the answer")
        return found


def _fields(node: Any) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    for child in node["children"]:
        yield from _fields(child)


def _made(node: Any) -> Iterator[str]:
    """Yield the names that the expression itself gives, as in `{name: field}`."""
    if node["type"] == "key_val_pair":
        yield node["value"]
    for child in node["children"]:
        yield from _made(child)


def _line(error: Exception) -> str:
    return " ".join(str(error).split("\n")[0].split())[:120]


def _expression(value: object) -> object:
    return Expression(value) if isinstance(value, str) else value


Path = Annotated[Expression, BeforeValidator(_expression)]
