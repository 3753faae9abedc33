"""JSON Schemas say what a comment beside a key says, and take a model for what it is on the wire."""

from pydantic import BaseModel
from typing_extensions import TypedDict

from bridge.schema.shapes import Wanted, comments, schemas


class Base(BaseModel):
    kept: int  # of the base
    both: int  # the base's


class Model(Base):
    both: int  # the model's own
    site: str  # the provider's id; default: the first
    plain: int
    tool: int = 1  # type: int
    several: dict[str, int]  # told at the end


class Above(TypedDict):
    above: int  # of a dictionary


class Below(Above):
    below: int  # likewise


def test_a_comment_beside_a_key_is_its_description() -> None:
    assert comments(Model) == {
        "kept": "of the base",
        "both": "the model's own",
        "site": "its name on the topics; default: the first",
        "several": "told at the end",
    }
    assert comments(Below) == {"above": "of a dictionary", "below": "likewise"}


def test_a_model_without_a_source_has_no_descriptions() -> None:
    made = type("Made", (BaseModel,), {"__annotations__": {"key": int}})
    assert comments(made) == {}
    (drawn,) = schemas([Wanted(made, "serialization")])[1].values()
    assert drawn["properties"] == {"key": {"type": "integer"}}
