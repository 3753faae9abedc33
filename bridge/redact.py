"""Takes secrets out of text, whoever wrote the text: a log line, a provider's error message, a traceback.

A secret shorter than four characters is left alone: replacing it would only garble the text around it.
"""

import json
import logging
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 4
LEARNT = 32
MASK = "***"


class Redactor:
    """Replaces every known secret, also as it looks inside a URL or a JSON string, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._given = frozenset(form for secret in secrets for form in _forms(secret))
        self._learnt: deque[frozenset[str]] = deque(maxlen=LEARNT)
        self._sort()

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide `secrets` of a new configuration from now on too, for good."""
        self._given = self._given.union(*map(_forms, secrets))
        self._sort()

    def learn(self, secret: str) -> None:
        """Hide `secret` from now on too: a token that a provider has given out. The newest few dozen are remembered."""
        if (forms := _forms(secret)) not in self._learnt:
            self._learnt.append(forms)
            self._sort()

    def _sort(self) -> None:
        # longest first, so that a secret that contains another goes as a whole
        self._forms = sorted(self._given.union(*self._learnt), key=len, reverse=True)


def _forms(secret: str) -> frozenset[str]:
    forms = {secret, repr(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms |= {json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return frozenset(form for form in forms if len(form) >= SHORTEST)


class RedactingFormatter(logging.Formatter):
    """A log format that lets no secret through, not even in a traceback."""

    def __init__(self, redact: Redactor, fmt: str, datefmt: str | None = None) -> None:
        super().__init__(fmt, datefmt)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))
