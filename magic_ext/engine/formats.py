"""``response_format``: the shapes in which it comes, and whether an answer keeps to it (wire.md section 1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from magic_ext.engine.models.base import JsonFormat
from magic_ext.wire.content import Json

from .errors import EngineError, bad_request

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["fault_of", "read_format"]

_JSON, _PLAIN = "application/json", "text/plain"
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_BARE = ("$ref", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf")
# Google's service does not enforce these (its SDK's description of the field).
_UNENFORCED = frozenset({"minLength", "maxLength", "minProperties", "maxProperties", "uniqueItems", "contains"})


def read_format(body: Json) -> JsonFormat | None:
    """The form that a request wants its answer in; ``None`` where any text will do.

    A format of type ``text``, a list of one, a bare JSON schema (the older form), and the older parameters
    ``response_mime_type`` and ``response_modalities`` are read; a 400 is raised for what no model here can do.

    >>> read_format({"response_format": {"type": "text", "mime_type": "application/json"}})
    JsonFormat(schema={})
    >>> read_format({"response_format": [{"type": "text"}], "response_modalities": ["text"]})
    """
    _check_modalities(body.get("response_modalities"))
    mime_type = _mime_type(body, "response_mime_type", "")
    given = body.get("response_format")
    formats = given if isinstance(given, list) else [given] if given else []
    if len(formats) > 1:
        raise bad_request("'response_format' may list one format here: the models answer in text.")
    if formats:
        return _read(formats[0], mime_type)
    return JsonFormat() if mime_type == _JSON else None


def fault_of(answer: str, form: JsonFormat) -> str:
    """What is wrong with an answer in a form, ``""`` if it keeps to it.

    >>> fault_of('{"sum": 5117}', JsonFormat()), fault_of("The sum is 5117.", JsonFormat())[:13]
    ('', 'it is no JSON')
    """
    try:
        document = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return f"it is no JSON ({error})"
    if not form.schema:
        return ""
    from referencing.exceptions import Unresolvable

    try:
        faults = (
            fault for fault in _validator(form.schema).iter_errors(document) if fault.validator not in _UNENFORCED
        )
        fault = next(faults, None)
    except (Unresolvable, RecursionError) as error:
        return f"its schema can't be followed ({type(error).__name__})"
    return f"at {fault.json_path}, {fault.message[:300]}" if fault is not None else ""


def _read(raw: object, mime_type: str) -> JsonFormat | None:
    if not isinstance(raw, dict):
        raise bad_request("The value of 'response_format' must be an object or a list of objects.")
    kind = raw.get("type")
    if kind == "text":
        return _text_format(raw, mime_type)
    if _is_schema(raw):
        if mime_type == _PLAIN:
            raise bad_request(f"A schema goes with the 'response_mime_type' {_JSON}.")
        return _checked(raw)
    hint = ": the models served here answer in text" if kind in ("image", "audio", "video") else ""
    raise bad_request(f"The value '{str(kind)[:40]}' is not supported for 'type' at 'response_format'{hint}.")


def _is_schema(raw: Json) -> bool:
    """Whether a format is a JSON schema itself: the form of the time before formats had types."""
    kind = raw.get("type")
    return kind in _TYPES if kind is not None else any(word in raw for word in _BARE)


def _text_format(raw: Json, mime_type: str) -> JsonFormat | None:
    raw = {"mime_type" if name == "mimeType" else name: value for name, value in raw.items()}  # Python 2.x sends that
    if unknown := raw.keys() - {"type", "mime_type", "schema"}:
        raise bad_request(f"Unknown parameter 'response_format.{min(unknown)}'.", "parameter_unknown")
    schema = raw.get("schema")
    mime_type = _mime_type(raw, "mime_type", mime_type or (_JSON if schema else _PLAIN))
    if schema is not None and (not isinstance(schema, dict) or mime_type == _PLAIN):
        raise bad_request(f"The 'schema' of 'response_format' must be an object, and goes with the mime type {_JSON}.")
    return _checked(schema or {}) if mime_type == _JSON else None


def _mime_type(fields: Json, name: str, default: str) -> str:
    value = fields.get(name) or default
    if value not in {_JSON, _PLAIN, ""}:
        raise bad_request(f"The value '{str(value)[:40]}' is not supported for '{name}': {_JSON} and {_PLAIN} are.")
    return str(value)


def _check_modalities(raw: Any) -> None:
    given = raw if isinstance(raw, list) else [raw] if raw else []
    if any(str(modality).lower() != "text" for modality in given):
        raise bad_request("'response_modalities' other than 'text' are not supported by the models served here.")


def _checked(schema: Json) -> JsonFormat:
    """The form of a schema; raises a 400 for a schema that is none."""
    if schema:
        from jsonschema.exceptions import SchemaError

        try:
            validator = _validator(schema)
            validator.check_schema(schema)
        except SchemaError as error:
            raise bad_request(f"The schema of 'response_format' is not valid: {error.message[:300]}") from None
        except (AttributeError, TypeError, ValueError, RecursionError):  # a "$schema" that is a list, say
            raise bad_request("The schema of 'response_format' is not valid.") from None
    return JsonFormat(schema)


def _validator(schema: Json) -> Validator:
    """What checks a document against a schema; it never reads a schema from elsewhere."""
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.validators import validator_for
    except ImportError:
        raise EngineError(
            400, "failed_precondition", "A schema needs the package jsonschema here: pip install 'gemini-exec[serve]'"
        ) from None
    from referencing import Registry

    validator: Validator = validator_for(schema, default=Draft202012Validator)(schema, registry=Registry())
    return validator
