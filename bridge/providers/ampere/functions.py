"""JMESPath's functions for answers whose numbers are Decimal, which it does not know. Loads jmespath.

Its own `to_number` makes 1 of 1.5, its own `to_string` a text in quotes; what else is done with a number is refused by it.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from jmespath.functions import Functions, signature


class Exact(Functions):
    """The functions that an expression can call."""

    @signature({"types": []})
    def _func_to_number(self, given: Any) -> Any:
        if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
            return None
        try:
            return Decimal(given) if isinstance(given, str) else given
        except InvalidOperation:
            return None

    @signature({"types": []})
    def _func_to_string(self, given: Any) -> Any:
        return str(given) if isinstance(given, str | Decimal) else json.dumps(given, separators=(",", ":"), default=str)
