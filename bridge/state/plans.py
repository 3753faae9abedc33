"""Where plans are kept: one row for each client and name. One that is gone leaves its row until its topics are surely cleared."""

from bridge.models.plan import Plan
from bridge.state.database import Database, readable

Key = tuple[str, str]  # client and name


class KeptPlans:
    """The plans of all clients, as they were last written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Plan]:
        return list(readable(Plan, self._database.rows("SELECT plan FROM plans WHERE plan IS NOT NULL ORDER BY client, name")))

    def gone(self) -> set[Key]:
        """Return the clients and names whose topics may still stand at the broker."""
        return {(client, name) for client, name in self._database.rows("SELECT client, name FROM plans WHERE plan IS NULL")}

    def save(self, plan: Plan, *, durable: bool = False) -> None:
        """Write `plan`; one that is `durable` outlives a power cut, see `Database.write`."""
        row = (plan.client, plan.name, plan.model_dump_json())
        self._database.write([("INSERT OR REPLACE INTO plans VALUES (?, ?, ?)", row)], durable=durable)

    def bury(self, key: Key) -> None:
        """Forget the plan of a client and name, but not yet that there was one."""
        self._database.write([("INSERT OR REPLACE INTO plans VALUES (?, ?, NULL)", key)], durable=True)

    def forget(self, keys: set[Key]) -> None:
        """Forget that there was a plan."""
        query = "DELETE FROM plans WHERE client = ? AND name = ? AND plan IS NULL"
        self._database.write([(query, key) for key in sorted(keys)])
