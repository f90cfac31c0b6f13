"""OpenAlgo's doors in the OpenAPI document, read from their forms when somebody asks for it.

Answers are OpenAlgo's own, and are described by what they have in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from starlette.routing import BaseRoute

from bahi.api.errors import MEANING
from bahi.api.forms import RUPEES
from bahi.api.openalgo.door import JSON, Ask, Door
from bahi.api.routes import first_sentence

TAG: Final = "openalgo"
OURS: Final = "bahi.api.openalgo."
NAMED: Final = "OpenAlgo.{name}"
"""Their schemas have names of their own: the other API has orders and baskets too."""
REF: Final = "#/components/schemas/"
CSV: Final = "text/csv"
ALWAYS: Final = (400, 403, 404, 409, 413, 422, 429, 501, 503, 504)
OF_CHANGES: Final = (502,)
SAID: Final = {
    **MEANING,
    200: "It was done, or here it is.",
    422: "The order was refused, or the broker said no.",
    501: "It is OpenAlgo's, and nothing is behind it here yet.",
}
SECURITY: Final[list[dict[str, list[str]]]] = [{}, {"key": []}]
"""The key is in the form; where it is not, in the header."""
KEY: Final = "A key of `bahi key issue`; the header X-API-Key does as well."
ACCOUNT: Final = "The account's name or id; without it, the one that the key means."
WHOLE: Final = "^(0|-?[1-9][0-9]{0,17})$"
LOOSE: Final[dict[str, list[dict[str, Any]]]] = {
    "integer": [{"type": "integer"}, {"type": "string", "pattern": WHOLE}],
    "decimal": [{"type": "number"}, {"type": "string", "pattern": RUPEES}],
    "boolean": [{"type": "boolean"}, {"enum": ["true", "false", "1", "0"]}],
}
"""What clients send as text too, and is understood."""
SHAPES: Final[dict[str, dict[str, Any]]] = {
    "Answer": {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["success"]},
            "mode": {"enum": ["analyze", "live"], "description": "Of the account: paper, or live."},
        },
    },
    "Failure": {
        "type": "object",
        "required": ["status", "message", "code", "request_id"],
        "properties": {
            "status": {"enum": ["error"]},
            "message": {"type": "string"},
            "code": {"type": "string"},
            "request_id": {"type": "string"},
            "retry_after": {"type": "number", "description": "Seconds, after which to ask again."},
        },
    },
}


def describe_openalgo(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Put OpenAlgo's doors and the schemas of their forms into an OpenAPI document."""
    doors = [it for it in routes if isinstance(it, Door)]
    forms = list(dict.fromkeys(it.form for it in doors))
    refs, found = msgspec.json.schema_components(forms, ref_template=REF + "{name}")
    ref_of: dict[type[Ask], str] = {
        form: _loosely(ref)["$ref"] for form, ref in zip(forms, refs, strict=True)
    }
    schemas = _schemas(found)
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    for door in doors:
        ref = ref_of[door.form]
        for method in (door.methods or set()) - {"HEAD"}:
            operation = _operation(door, method)
            if method == "POST":
                content = {JSON: {"schema": {"$ref": ref}}}
                operation["requestBody"] = {"required": True, "content": content}
            else:
                schema = schemas[ref.removeprefix(REF)]
                operation["parameters"] = list(_parameters(door, schema))
            document["paths"].setdefault(door.path, {})[method.lower()] = operation


def _schemas(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    schemas = SHAPES | {name.removeprefix(OURS): _loosely(it) for name, it in found.items()}
    for schema in schemas.values():
        for name, said in (("apikey", KEY), ("account", ACCOUNT)):
            if name in schema["properties"]:
                schema["properties"][name]["description"] = said
    return {NAMED.format(name=name): it for name, it in schemas.items()}


def _operation(door: Door, method: str) -> dict[str, Any]:
    statuses = (*ALWAYS, *(OF_CHANGES if door.changes else ()))
    kinds = (JSON, CSV) if "format" in door.form.__struct_fields__ else (JSON,)
    name = re.sub("[^a-z]+", "_", door.path.lower()).strip("_")
    return {
        "tags": [TAG],
        "summary": first_sentence(door.answered_by),
        "operationId": f"{name}_{method.lower()}",
        "security": SECURITY,
        "x-needs": "change" if door.changes else "look",
        "responses": {
            "200": _answer(200, "Answer", kinds),
            **{str(it): _answer(it, "Failure") for it in statuses},
        },
    }


def _answer(status: int, shape: str, kinds: Iterable[str] = (JSON,)) -> dict[str, Any]:
    schemas = {JSON: {"$ref": REF + NAMED.format(name=shape)}, CSV: {"type": "string"}}
    content = {kind: {"schema": schemas[kind]} for kind in kinds}
    return {"description": SAID[status], "content": content}


def _parameters(door: Door, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, said in schema["properties"].items():
        in_path = f"{{{name}}}" in door.path
        yield {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema["required"],
            "schema": said,
        }


def _loosely(it: Any) -> Any:
    """Return a schema as strictly as its form is read: numbers may come as text."""
    if isinstance(it, list):
        return [_loosely(each) for each in it]
    if not isinstance(it, dict):
        return it
    kind = "decimal" if it.get("format") == "decimal" else it.get("type")
    if isinstance(kind, str) and kind in LOOSE:
        return {"anyOf": LOOSE[kind], **{name: it[name] for name in ("default",) if name in it}}
    loose = {name: _loosely(each) for name, each in it.items()}
    if "$ref" in loose:
        name = loose["$ref"].removeprefix(REF).removeprefix(OURS)
        loose["$ref"] = REF + NAMED.format(name=name)
    return loose
