"""What no document may reach at OctoMesh: nothing is out of reach, as a client's own scope and roles bound it.

Reads show no secret, and a write is what a grant of that very operation allows.
"""

from bridge.providers.base import Guard

GUARD = Guard()
