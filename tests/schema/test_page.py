"""The examples are what the demo says, and docs/topics.md is what the command writes."""

import re
from pathlib import Path

from bridge.schema import schema
from bridge.schema.page import Page, anchor
from tests.reference import EXAMPLES, Told, examples, text
from tests.schema.against import DRAWN, MESSAGES, faults

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_are_what_the_demo_says(found: Told) -> None:
    """Where they are not, `make reference` writes them and the page anew."""
    assert text(examples(found)) == EXAMPLES.read_text("utf-8")


def test_every_message_has_an_example_that_is_valid() -> None:
    bare = {"command.source.operation", "response.source.operation", "response.octomesh.file_upload"}  # the demo has neither
    assert {name for name, message in MESSAGES.items() if "examples" not in message} == bare
    wrong = [
        fault
        for name, message in MESSAGES.items()
        for one in message.get("examples", ())
        for fault in faults(name, one["payload"])
    ]
    assert wrong == []


def test_a_shape_that_holds_itself_ends_somewhere() -> None:
    loop = {"Loop": {"type": "object", "properties": {"in": {"$ref": "#/components/schemas/Loop"}}}}
    page = Page({**DRAWN, "components": {"schemas": loop}})
    rows = page._rows({"$ref": "#/components/schemas/Loop"}, "")
    assert [key.count("in") for key, *_ in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_the_index_of_the_page_leads_to_each_of_its_headings() -> None:
    page = schema(markdown=True)
    headings = [anchor(heading) for heading in re.findall(r"^### (.*)$", page, re.MULTILINE)]
    assert re.findall(r"^- \[`[^`]+`\]\(#([^)]+)\)$", page, re.MULTILINE) == headings
    assert len(set(headings)) == len(headings)
    assert anchor("`command/{client}/bridge/plan_cancel`") == "commandclientbridgeplan_cancel"


def test_the_page_of_topics_is_what_the_command_writes() -> None:
    """Where it is not, `make reference` writes it anew."""
    assert schema(markdown=True) == (ROOT / "docs" / "topics.md").read_text("utf-8")
