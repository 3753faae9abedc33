"""A JMESPath expression of the profile. Only this module and `functions.py` know jmespath, which is loaded with the first one.

Its arithmetic knows no Decimal, which is what numbers with a fraction come as: that is for the profile's `factor`.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator

from bridge.errors import Malformed

SLIPS = (TypeError, ValueError, ArithmeticError)  # jmespath lets out: a text is less than a number, a slice of step 0, NaN


class Expression:
    """What finds something in an answer; `names` are the fields that it looks for, wherever they stand."""

    def __init__(self, text: str) -> None:
        """Raises ValueError where `text` is no JMESPath."""
        import jmespath

        from bridge.providers.ampere.functions import Exact

        self.text = text
        try:
            self._compiled = jmespath.compile(text)
            nodes = list(_nodes(self._compiled.parsed))
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"is no JMESPath ({_line(error)})") from None
        except RecursionError:
            raise ValueError("is no JMESPath (nested too deep)") from None
        called = {node["value"] for node in nodes if node["type"] == "function_expression"}
        if unknown := sorted(called - Exact.FUNCTION_TABLE.keys()):
            raise ValueError(f"is no JMESPath (there is no function {unknown[0]})")
        self._options = jmespath.Options(custom_functions=Exact())
        made = {node["value"] for node in nodes if node["type"] == "key_val_pair"}  # the names that it gives: `{name: field}`
        self.names = frozenset(node["value"] for node in nodes if node["type"] == "field") - made

    def __call__(self, value: Any) -> Any:
        """Return what it finds in `value`, None where there is nothing. Raises Malformed where it cannot be applied."""
        import jmespath

        try:
            return self._compiled.search(value, self._options)
        except (jmespath.exceptions.JMESPathError, *SLIPS) as error:
            raise Malformed(f"{self.text!r} cannot be applied to the answer ({_line(error)})") from None

    def list(self, value: Any) -> list[Any]:
        """Return the list that it finds. Raises Malformed where it finds none."""
        found = self(value)
        if not isinstance(found, list):
            raise Malformed(f"{self.text!r} found {'nothing' if found is None else 'no list'} in the answer")
        return found


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):  # a slice has numbers
            yield from _nodes(child)


def _line(error: Exception) -> str:
    return " ".join(str(error).split("\n")[0].split())[:120]


def _expression(value: object) -> object:
    return Expression(value) if isinstance(value, str) else value


Path = Annotated[Expression, BeforeValidator(_expression)]
