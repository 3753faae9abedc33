"""What a provider calls deprecated of our documents, told daily: the schema is asked for here and judged in a process of its own.

That process, `bridge.transport.judge`, ends with its answer: graphql-core and a schema of megabytes never come into this one. It
is given the schema and the documents by standard input, and of the environment nothing but where Python finds its modules.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from bridge.errors import Failed, Malformed, Refused, SourceError, TimedOut

LARGEST_SCHEMA = 8 * 2**20  # characters; ten times what was seen of providers with thousands of types
LARGEST_VERDICT = 64 * 1024  # bytes
PATIENCE_S = 120.0  # a Pi takes seconds

Text = Callable[[str], Awaitable[str]]  # a document → the answer as it came

_WHOLE = """
query Schema {
  __schema {
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    directives { name locations args%s { ...Input } }
    types {
      kind
      name
      fields(includeDeprecated: true) {
        name
        isDeprecated
        deprecationReason
        args%s { ...Input }
        type { ...Named }
      }
      inputFields%s { ...Input }
      interfaces { ...Named }
      possibleTypes { ...Named }
      enumValues(includeDeprecated: true) { name isDeprecated deprecationReason }
    }
  }
}
fragment Input on __InputValue { name defaultValue%s type { ...Named } }
fragment Named on __Type {
  kind
  name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } }
}
"""
NEWER = _WHOLE % (*["(includeDeprecated: true)"] * 3, " isDeprecated deprecationReason")
OLDER = _WHOLE % (*[""] * 3, "")  # for a server from before arguments could be deprecated


async def deprecations(
    text: Text, documents: Mapping[str, str], *, patience_s: float = PATIENCE_S, python: str = sys.executable
) -> tuple[str, ...]:
    """Return a line for each deprecated thing that `documents`, by name, ask for.

    Raises SourceError where the schema is not told, is too big or cannot be judged: then nothing is known.
    """
    try:
        return await _told(text, NEWER, documents, patience_s, python)
    except SourceError as error:
        if not isinstance(error, Refused) and "deprecat" not in str(error).lower():
            raise
    return await _told(text, OLDER, documents, patience_s, python)


async def _told(text: Text, question: str, documents: Mapping[str, str], patience_s: float, python: str) -> tuple[str, ...]:
    answer = await text(question)
    if len(answer) > LARGEST_SCHEMA:
        raise Malformed(f"the schema is larger than {LARGEST_SCHEMA >> 20} MiB")
    verdict = await _verdict(f"{json.dumps(dict(documents))}\n{answer}".encode(), patience_s, python)
    if "refused" in verdict:
        raise Refused(str(verdict["refused"]))
    return tuple(map(str, verdict["deprecated"]))


async def _verdict(question: bytes, patience_s: float, python: str) -> dict[str, list[str]]:
    child = await _judge(python)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(patience_s):
            with suppress(ConnectionError):  # it may have died; then it says nothing
                child.stdin.write(question)
                await child.stdin.drain()
            child.stdin.close()
            said = await child.stdout.read(LARGEST_VERDICT)
            await child.wait()
        verdict: dict[str, list[str]] = json.loads(said)
    except TimeoutError:
        raise TimedOut(f"the schema could not be judged in {patience_s:g} s") from None
    except ValueError:
        raise Malformed("the schema could not be judged") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return verdict


async def _judge(python: str) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            python, "-P", "-m", "bridge.transport.judge", env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise Failed(f"no process can be started to judge the schema ({error.strerror})") from None
