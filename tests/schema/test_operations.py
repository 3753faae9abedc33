"""What the schema says of a command and its answer is what the demo takes and gives."""

import json
import re
from typing import Any

import pytest

from bridge.schema.operations import OWN, operations
from bridge.schema.shapes import Schema
from tests.reference import ASKED, Told, message_of
from tests.schema.against import MESSAGES, faults

REFUSED = {"octomesh.file_upload"}  # what the demo's server, as it is published, has no way to do


def test_every_operation_is_answered_as_it_says(found: Told) -> None:
    answered = {command.asked.full_name for command, _ in found.answers}
    assert answered == {asked.full_name for asked in operations() if asked is not OWN}
    refused = {command.asked.full_name: answer["error"] for command, answer in found.answers if answer["status"] != "ok"}
    assert refused.keys() == REFUSED, f"say in ASKED of tests/reference.py what to ask for: {refused}"
    wrong = [fault for command, answer in found.answers for fault in faults(message_of(command, answer), answer)]
    assert wrong == []


def test_every_command_is_one_that_it_takes(found: Told) -> None:
    wrong = [fault for command, _ in found.answers for fault in faults(f"command.{command.asked.full_name}", command.body)]
    assert wrong == []
    assert ASKED.keys() <= {command.asked.full_name for command, _ in found.answers}


@pytest.mark.parametrize(
    ("operation", "body", "count"),
    [
        ("source.prices", {}, 0),
        ("source.prices", {"id": "7", "dry_run": True, "expires_at": "2026-11-20T12:00:00Z"}, 0),
        ("source.prices", {"args": {"sight": "cabin"}}, 1),
        ("source.readings", {"args": {"first": 1001}}, 1),
        ("source.readings", {"argument": {}}, 1),
        ("octopus.boost_start", {"args": {"device_id": "a"}}, 1),  # a write without an id
        ("octopus.boost_start", {"id": "1", "args": {}}, 1),
        ("bridge.cheapest", {"args": {"source": "home", "duration": "PT3H", "power_kw": [1, 2.5]}}, 0),
        ("bridge.cheapest", {"args": {"source": "home", "duration": "PT3H", "power_kw": 11}}, 0),
        ("bridge.cheapest", {"args": {"source": "home", "duration": 3}}, 1),
        ("bridge.plan", {"args": {"source": "home", "duration": "PT3H"}}, 1),  # nameless
        ("source.operation", {"args": {"days": 3}}, 0),
    ],
)
def test_what_is_wrong_with_a_command_can_be_told_before_it_is_sent(operation: str, body: dict[str, Any], count: int) -> None:
    assert len(faults(f"command.{operation}", body)) == count


def test_a_refusal_and_a_short_answer_are_answers_too() -> None:
    error: Schema = {"code": "not_allowed", "message": "…", "retry_after": None, "reasons": []}
    refusal = {"id": "8", "status": "error", "operation": "octopus.boost_start", "error": error, "duration_ms": 0}
    assert faults("response.error", refusal) == []
    assert len(faults("response.error", {**refusal, "error": {**error, "code": "no"}})) == 1
    short = {"id": "8", "status": "ok", "operation": "octopus.boost_start", "data": {}, "duration_ms": 9, "replayed": True}
    assert faults("response.octopus.boost_start", short) == []


def test_a_response_topic_must_lie_below_the_clients_own() -> None:
    pattern = MESSAGES["command.source.prices"]["bindings"]["mqtt"]["responseTopic"]["pattern"]
    assert re.search(pattern, "kwh2mqtt/response/wallbox/mine")
    assert not re.search(pattern, "kwh2mqtt/response/wallbox")
    assert not re.search(pattern, "elsewhere/response/wallbox/mine")


def test_a_device_and_a_session_bear_the_keys_of_their_topics_in_an_answer_too(found: Told) -> None:
    data = {command.asked.full_name: answer["data"] for command, answer in found.answers if answer["status"] == "ok"}
    told = {message.topic.removeprefix("kwh2mqtt/octopus/home/"): message.payload for message in found.published}
    keys = set(json.loads(told["dispatch/family-car"])) - {"dispatching"}
    devices = [*data["octopus.devices"]["devices"], *data["octopus.dispatches"]["dispatches"]]
    assert [set(device) for device in devices] == [keys] * len(devices) != []
    assert json.loads(told["schedule/saving-sessions"])[-1] == data["octopus.saving_sessions"]["saving_sessions"][-1]
