"""What no document may reach at Tibber: the mutations that may be sent are listed, as new ones may appear.

`sendMeterReading` is none of them: it does nothing any more, and says that all went well. The address of the live stream opens it
for the account, and two that are open are all it has.
"""

from bridge.providers.base import Guard

GUARD = Guard(writes=frozenset({"sendPushNotification", "updateHome"}), hidden=frozenset({"websocketSubscriptionUrl"}))
