"""The command `kwh2mqtt`: arguments → app; logging; exit codes.

0 done, 2 wrong usage or configuration, 1 anything else.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path

from bridge import __version__
from bridge.clock import SystemClock
from bridge.errors import BridgeError, Misconfigured
from bridge.redact import RedactingFormatter, Redactor
from bridge.settings import Settings, load

log = logging.getLogger(__name__)

DONE, FAILED, MISUSED = 0, 1, 2

EXAMPLES = """\
examples:
  kwh2mqtt demo                          see it work, with nothing set up
  kwh2mqtt check --online                is everything right before it runs for good?
  kwh2mqtt run --config bridge.toml      the main job
  kwh2mqtt poll home                     what would be published for [sources.home]
  kwh2mqtt login mesh                    sign in by a code, where a source needs a person
  kwh2mqtt introspect home               does what we ask for still fit the provider's GraphQL schema?
  kwh2mqtt request home prices           ask the bridge for something, over the broker

the configuration is looked for in --config, $KWH2MQTT_CONFIG, ./config/bridge.toml, /etc/kwh2mqtt/bridge.toml
exit codes: 0 done, 2 wrong usage or configuration, 1 anything else
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        try:
            return _done(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # such as `kwh2mqtt poll home | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in the buffer goes there
        return FAILED


def _done(arguments: Sequence[str] | None) -> int:
    given = _parsed(arguments)
    _log_to_stderr(Redactor(), verbose=given.verbose)
    try:
        return int(given.command(given))
    except Misconfigured as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return MISUSED
    except BridgeError as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return FAILED
    except Exception:
        log.exception("an unforeseen fault")  # through the log, which hides secrets
        return FAILED


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    given, left = parser.parse_known_args(arguments, argparse.Namespace(config=None, verbose=False))
    if left and (not hasattr(given, "words") or any(word.startswith("-") for word in left)):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    given.left = left  # words after an option, which argparse does not join to those before it
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kwh2mqtt",
        allow_abbrev=False,
        description="Energy prices and readings on MQTT topics.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_everywhere()],
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[_everywhere()],
            allow_abbrev=False,
        )
        sub.set_defaults(command=function)
        return sub

    command("run", _run, "the main job, until SIGTERM or SIGINT; SIGHUP reloads the configuration",
            "kwh2mqtt run --config /etc/kwh2mqtt/bridge.toml")  # fmt: skip
    demo = command("demo", _demo, "the main job with nothing set up: a broker of its own, simulated providers",
                   "kwh2mqtt demo --once")  # fmt: skip
    demo.add_argument("--once", action="store_true", help="end when every source is online and published")
    check = command("check", _check, "validate the configuration; one line a finding", "kwh2mqtt check --online")
    check.add_argument("--online", action="store_true", help="also connect to the broker and sign in to every source")
    poll = command("poll", _poll, "poll a source once and print what would be published; publishes nothing",
                   "kwh2mqtt poll home")  # fmt: skip
    introspect = command("introspect", _introspect, "save the provider's GraphQL schema and check every document against it",
                         "kwh2mqtt introspect home")  # fmt: skip
    login = command("login", _login, "sign in a source that needs a person, by a code or in a browser", "kwh2mqtt login mesh")
    login.add_argument("--browser", action="store_true", help="in a browser on this machine; default: by a code, on any other")
    for sub in (poll, introspect, login):
        sub.add_argument("source", metavar="SOURCE", help="the NAME of a [sources.NAME] section")
    command("health", _health, "is the bridge alive, and every source online or excused? Exit code 1 and the reason where not",
            "kwh2mqtt health")  # fmt: skip
    schema = command("schema", _schema, "write the AsyncAPI document of every topic and operation; it needs no configuration",
                     "kwh2mqtt schema > asyncapi.json")  # fmt: skip
    schema.add_argument("--markdown", action="store_true", help="the same as a page for people")
    schema.add_argument("--json-schemas", type=Path, metavar="FOLDER", help="also write the JSON Schema of every payload there")
    request = command("request", _request, "send a command over the broker and print the answer; without one, list what there is",
                      "kwh2mqtt request home readings previous=7d first=5")  # fmt: skip
    request.add_argument("words", nargs="*", metavar="SOURCE OPERATION KEY=VALUE", help="whom to ask for what, and how")
    request.add_argument("--client", metavar="NAME", help="who asks; default: the login's name at the broker")
    request.add_argument("--id", metavar="ID", help="the same one again brings the answer that is known; default: a random one")
    request.add_argument("--list", action="store_true", help="list the operations that there are, or those of SOURCE")
    request.add_argument("--complete", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    request.set_defaults(commands=commands.choices)
    return parser


def _everywhere() -> argparse.ArgumentParser:
    """Return the options that may stand before and after the command: what is not given leaves no trace."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration")
    options.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help="say more in the log")
    options.add_argument("--version", action="version", version=f"kwh2mqtt {__version__}")
    return options


def _configured(given: argparse.Namespace, *, sources_wanted: bool = True) -> tuple[Settings, Redactor]:
    settings = load(given.config, sources_wanted=sources_wanted)
    redact = Redactor(settings.secrets())
    _log_to_stderr(redact, verbose=given.verbose)
    return settings, redact


def _run(given: argparse.Namespace) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    from bridge.reload import run

    settings, redact = _configured(given)
    asyncio.run(run(settings, redact, partial(load, given.config)))
    return DONE


def _demo(given: argparse.Namespace) -> int:
    from bridge.demo import demonstrate

    return asyncio.run(demonstrate(given.config, once=given.once))


def _check(given: argparse.Namespace) -> int:
    from bridge.check import findings

    settings, redact = _configured(given)
    return _finished(findings(settings, redact, online=given.online))


def _finished(job: Coroutine[None, None, bool]) -> int:
    return DONE if asyncio.run(job) else FAILED


def _poll(given: argparse.Namespace) -> int:
    from bridge.preview import preview

    settings, redact = _configured(given)
    return _finished(preview(settings, redact, given.source))


def _introspect(given: argparse.Namespace) -> int:
    from bridge.introspect import introspect

    settings, redact = _configured(given)
    return _finished(introspect(settings, redact, given.source))


def _login(given: argparse.Namespace) -> int:
    from bridge.login import login

    settings, redact = _configured(given)
    return _finished(login(settings, redact, SystemClock(), given.source, browser=given.browser))


def _request(given: argparse.Namespace) -> int:
    if given.complete is not None:
        from bridge.complete import complete

        complete(given.commands)
        return DONE
    from bridge.ask import ask, listed, question

    settings, _ = _configured(given, sources_wanted=False)
    words = [*given.words, *given.left]
    if given.list or len(words) < len(("SOURCE", "OPERATION")):
        return _finished(listed(settings.mqtt, words[0] if words else None))
    client = settings.mqtt.username if given.client is None else given.client
    return _finished(ask(settings.mqtt, question(words, client=client, id_=given.id)))


def _health(given: argparse.Namespace) -> int:
    from bridge.health import health

    settings, _ = _configured(given, sources_wanted=False)
    return _finished(health(settings.mqtt, SystemClock()))


def _schema(given: argparse.Namespace) -> int:
    from bridge.schema import schema

    named = given.config is not None or "KWH2MQTT_CONFIG" in os.environ  # one that merely lies about changes no document
    settings = load(given.config, sources_wanted=False) if named else None
    sys.stdout.write(schema(settings, markdown=given.markdown, folder=given.json_schemas))
    return DONE


def _log_to_stderr(redact: Redactor, *, verbose: bool) -> None:
    under_systemd = "JOURNAL_STREAM" in os.environ  # the journal keeps the time itself
    form = "%(levelname)-7s %(message)s" if under_systemd else "%(asctime)s %(levelname)-7s %(message)s"
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(redact, form))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("asyncio", "httpcore2", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
