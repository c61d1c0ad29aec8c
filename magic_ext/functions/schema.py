"""JSON schemas in the subset that model servers read: no references, no keyword that they don't know."""

from __future__ import annotations

from typing import Any

from magic_ext.wire.content import Json

__all__ = ["NoSchema", "inlined"]

# What Google's documentation of structured outputs lists; msgspec checks all else when the arguments come.
_KEPT = frozenset(
    {
        *("type", "title", "description", "enum", "format", "minimum", "maximum", "minItems", "maxItems"),
        *("required", "anyOf", "items", "prefixItems", "properties", "additionalProperties"),
    }
)
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


class NoSchema(ValueError):
    """A schema that can't be written without references: it contains itself."""


def inlined(schema: Json) -> Json:
    """The schema with every ``$ref`` replaced by what it refers to; raises :class:`NoSchema` for a recursive one.

    >>> inlined({"$ref": "#/$defs/P", "$defs": {"P": {"type": "object", "properties": {}}}})
    {'type': 'object', 'properties': {}}
    """
    return _node(schema, schema.get("$defs", {}), ())


def _node(node: Json, definitions: Json, inside: tuple[str, ...]) -> Json:
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        if name in inside:
            raise NoSchema(f"{name} contains itself")
        return _node(definitions[name], definitions, (*inside, name))

    def within(value: Any) -> Any:
        if isinstance(value, list):
            return [within(item) for item in value]
        return _node(value, definitions, inside) if isinstance(value, dict) else value

    kept: Json = {}
    for key, value in node.items():
        if key == "properties":
            kept[key] = {name: within(inner) for name, inner in value.items()}
        elif key in {"anyOf", "items", "prefixItems", "additionalProperties"}:
            kept[key] = within(value)
        elif key in _KEPT:
            kept[key] = value
    if "const" in node:
        kept["enum"] = [node["const"]]
    kinds = {_TYPES.get(type(value)) for value in kept.get("enum", ())}
    if len(kinds) == 1 and None not in kinds:
        kept.setdefault("type", kinds.pop())
    return kept
