"""Where a source keeps its tokens: one text a source, given back only to the account that left it there."""

from bridge.state.database import Database


class Pocket:
    """The pocket of one source. It is read anew each time: `kwh2mqtt poll` may have signed in beside us."""

    def __init__(self, source: str, identity: str, database: Database) -> None:
        self._source, self._identity, self._database = source, identity, database

    def read(self) -> str | None:
        """Return what this account left, or None."""
        rows = self._database.rows("SELECT identity, text FROM pockets WHERE source = ?", (self._source,))
        return next((str(text) for identity, text in rows if identity == self._identity), None)

    def write(self, text: str | None) -> None:
        """Leave `text` in place of what was there; None leaves nothing."""
        if text is None:
            self._database.write([("DELETE FROM pockets WHERE source = ?", (self._source,))])
        else:
            row = (self._source, self._identity, text)
            # durable: a token that is good for one use must not come back after a power cut
            self._database.write([("INSERT OR REPLACE INTO pockets VALUES (?, ?, ?)", row)], durable=True)
