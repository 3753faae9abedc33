"""JSON Schema of what stands on the topics, from the models; what a key means, from the comment beside it in the source.

A comment is read when somebody asks for the schema: a description that pydantic kept would cost every `run` memory. The dialect
is draft-07, which AsyncAPI takes without a word more. A `Decimal` goes out as a number, whatever pydantic thinks.
"""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]  # what we take, what we send
DIALECT = "http://json-schema.org/draft-07/schema#"
TOOLS = ("noqa", "type:", "fmt:")  # how a comment begins that is for a tool
INSIDE, OUTSIDE = "the provider's id", "its name on the topics"  # of a site: `commands.declared` puts one for the other


class Wanted(NamedTuple):
    """A type whose schema is wanted."""

    type: Any
    mode: Mode


def schemas(wanted: Iterable[Wanted], prefix: str = "") -> tuple[dict[Wanted, Schema], dict[str, Schema]]:
    """Return the schema of each, and those in `#/components/schemas/` that they refer to, with `prefix` before their names."""
    inputs = [(each, each.mode, TypeAdapter(each.type)) for each in dict.fromkeys(wanted)]
    template = f"#/components/schemas/{prefix}{{model}}"
    found, shared = TypeAdapter.json_schemas(inputs, ref_template=template, schema_generator=Shapes)
    named = {f"{prefix}{name}": schema for name, schema in shared.get("$defs", {}).items()}
    return {each: schema for (each, _), schema in found.items()}, named


class Shapes(GenerateJsonSchema):
    """Draws what we publish and take, as it really is."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the key says it
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: FBT001 - pydantic's signature
        """Tell whether a key is always there: of what we send, whatever has a value where it is not given."""
        given = field["schema"]
        sent = self.mode == "serialization" and given["type"] == "default" and given.get("default", field) is not None
        return sent or super().field_is_required(field, total)

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        if self.mode == "serialization":
            return {"type": "number"}
        drawn = super().decimal_schema(schema)
        return next(each for each in drawn["anyOf"] if each["type"] == "number")  # text would do, but nobody need know

    def tuple_schema(self, schema: Any) -> JsonSchemaValue:
        drawn = super().tuple_schema(schema)
        if "prefixItems" in drawn:  # which draft-07 does not know
            drawn |= {"items": drawn.pop("prefixItems"), "additionalItems": False}
        return drawn

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        return _explained(super().model_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: Any) -> JsonSchemaValue:
        return _explained(super().typed_dict_schema(schema), schema["cls"])


def _explained(drawn: Schema, model: type) -> Schema:
    """Return the schema of `model` with what its keys mean."""
    said = comments(model)
    for key, schema in drawn.get("properties", {}).items():
        if text := said.get(key):
            schema["description"] = text
        if "$ref" in schema and len(schema) > 1:  # draft-07 does not look beside one
            schema["allOf"] = [{"$ref": schema.pop("$ref")}]
    return drawn


def comments(model: type) -> dict[str, str]:
    """Return what the comment beside each key of `model` says, its bases' too; nothing where the source is not at hand."""
    bases = (*reversed(model.__mro__), *getattr(model, "__orig_bases__", ()), model)  # a TypedDict has no base but dict
    own = [base for base in dict.fromkeys(bases) if getattr(base, "__annotations__", None) and base is not BaseModel]
    found = {key: text for base in own for key, text in _beside(base).items()}
    aliases = {name: field.alias for name, field in getattr(model, "model_fields", {}).items() if field.alias}
    return {aliases.get(name, name): text.replace(INSIDE, OUTSIDE) if name == "site" else text for name, text in found.items()}


def _beside(model: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(model))
    except (OSError, TypeError):  # a zip file, a class made by a call
        return {}
    said = dict(_comments(source))
    (drawn,) = ast.parse(source).body
    assert isinstance(drawn, ast.ClassDef)
    keys = [node for node in drawn.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {ast.unparse(key.target): said[key.end_lineno] for key in keys if key.end_lineno in said}


def _comments(source: str) -> Iterable[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = token.string.lstrip("# ")
        if token.type == tokenize.COMMENT and not text.startswith(TOOLS):
            yield token.start[0], text
