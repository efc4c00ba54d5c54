"""The OpenAPI document of a gateway: every route, every body, every status that it answers with."""

from typing import Any, Final

from batchgen import __version__
from batchgen.api import wire
from batchgen.gateway.files import FILES, MEDIA_TYPES
from batchgen.gateway.models import MODELS
from batchgen.gateway.options import Mode
from batchgen.gateway.schemas import Schema, components, create_form, create_json

BRAND: Final = wire.MODELS + "/brands/{brand}/image"
_STATUSES: Final = {
    400: "The request is wrong, and stays wrong.",
    401: "No key, or an unknown or revoked one.",
    402: "The balance does not cover this picture.",
    403: "Not for this key, host, origin or signature.",
    404: "There is no such thing, or no longer, or it is another account's.",
    408: "The body did not arrive in time.",
    409: "The Idempotency-Key was used before.",
    410: "The address has expired; read the task again.",
    413: "Too many bytes.",
    415: "Neither JSON nor a form.",
    416: "The range begins behind the end.",
    429: "Too many for now; see Retry-After.",
    500: "The gateway broke.",
    502: "The generation failed (only while a create waits for its picture).",
    503: "Too many requests at once; nothing was bought.",
}
_EVERYWHERE: Final = (400, 403, 404, 500, 503)
_INTEGER: Final[Schema] = {"type": "string", "pattern": "^[0-9]{1,12}$"}
_KEY: Final[Schema] = {
    "name": wire.IDEMPOTENCY_KEY,
    "in": "header",
    "description": "The same key with the same payload is answered as before and costs nothing again.",
    "schema": {"type": "string", "pattern": "^[!-~](?:[ -~]{0,253}[!-~])?$"},
}


def document(mode: Mode) -> dict[str, Any]:
    """The whole document, for a gateway in this mode."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "batchgen gateway",
            "version": __version__,
            "description": "The Xenodia image API, played on this machine. Pictures are painted from the words, and"
            " prices are pretended.",
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": {
            wire.GENERATIONS: {"post": _create(mode)},
            wire.TASKS + "{task_id}": {"get": _poll()},
            FILES + "{name}": {"get": _picture()},
            wire.MODELS: {"get": _get("listModels", "The catalogue", {200: _json("ModelList")})},
            BRAND: {"get": _brand()},
            wire.BALANCE: {"get": _secured(_get("balance", "What is left to spend", {200: _json("Balance")}), 401)},
            "/healthz": {"get": _get("health", "Whether it is up", {200: _body("application/json", _HEALTH)})},
            "/metrics": {"get": _get("metrics", "Counts, for Prometheus", {200: _body("text/plain", _TEXT)})},
            "/openapi.json": {"get": _get("openapi", "This document", {200: _body("application/json", _OBJECT)})},
            "/docs": {"get": _get("docs", "This document, for people", {200: _body("text/html", _TEXT)})},
        },
        "components": {
            "schemas": components(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


_TEXT: Final[Schema] = {"type": "string"}
_OBJECT: Final[Schema] = {"type": "object"}
_HEALTH: Final[Schema] = {
    "type": "object",
    "properties": {"status": {"enum": ["ok"]}},
    "required": ["status"],
    "additionalProperties": False,
}


_EXAMPLES: Final = {
    "words": {"value": {"model": "nano-banana-pro", "prompt": "A red cube on a white table"}},
    "wide": {
        "value": {
            "model": "gpt-image-2",
            "prompt": "Mountains at dawn",
            "async": True,
            "aspect_ratio": "16:9",
            "resolution": "2K",
        }
    },
    "references": {
        "value": {
            "model": "nano-banana-pro",
            "prompt": "The shoe on a beach",
            "output_format": "jpg",
            "image_input": ["https://samples.batchgen.invalid/red-shoe.png"],
        }
    },
}


def _create(mode: Mode) -> dict[str, Any]:
    task = {
        **_json("TaskEnvelope"),
        "description": "A task; ask for it until it has ended.",
        "links": {"poll": {"operationId": "readTask", "parameters": {"task_id": "$response.body#/task_id"}}},
    }
    answers = {202: task} if mode == "task" else {200: _json("ImagesAnswer"), 202: task}
    wrong = (402, 408, 409, 413, 415, 429) + (() if mode == "task" else (502,))
    return _secured(_get("createImage", "Buy one picture", answers, *wrong), 401) | {
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": create_json(), "examples": _EXAMPLES},
                "multipart/form-data": {
                    "schema": create_form(),
                },
            },
        },
    }


def _poll() -> dict[str, Any]:
    operation = _secured(_get("readTask", "How a task stands", {200: _json("TaskResource")}), 401)
    return operation | {"parameters": [_in_path("task_id", {"type": "string", "minLength": 1})]}


def _picture() -> dict[str, Any]:
    kinds = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    answers = {
        200: {"description": "The picture.", "content": kinds},
        206: {"description": "The part of it that Range asked for.", "content": kinds},
        304: {"description": "The picture that If-None-Match names."},
    }
    signed = [
        {"name": name, "in": "query", "required": True, "schema": schema}
        for name, schema in (("expires", _INTEGER), ("signature", {"type": "string", "pattern": "^[0-9a-f]{64}$"}))
    ]
    operation = _get("readPicture", "A picture at the signed address that its task gave", answers, 410, 416)
    return operation | {"parameters": [_in_path("name", {"type": "string", "minLength": 1}), *signed]}


def _brand() -> dict[str, Any]:
    names = sorted({model.owner for model in MODELS.values()})
    operation = _get("readBrand", "The badge of a brand", {200: _body("image/svg+xml", _TEXT)})
    return operation | {"parameters": [_in_path("brand", {"enum": names})]}


def _get(name: str, summary: str, answers: dict[int, Any], *wrong: int) -> dict[str, Any]:
    refused = {status: _json("ErrorBody") | {"description": _STATUSES[status]} for status in (*_EVERYWHERE, *wrong)}
    for status in {429, 503} & set(refused):
        refused[status]["headers"] = {wire.RETRY_AFTER: {"description": "Seconds, or a date.", "schema": _TEXT}}
    responses = {str(status): answer for status, answer in sorted({**answers, **refused}.items())}
    return {"operationId": name, "summary": summary, "responses": responses}


def _secured(operation: dict[str, Any], status: int) -> dict[str, Any]:
    refused = _json("ErrorBody") | {"description": _STATUSES[status]}
    responses = dict(sorted({**operation["responses"], str(status): refused}.items()))
    return operation | {"security": [{"key": []}], "responses": responses}


def _json(name: str) -> dict[str, Any]:
    return _body("application/json", {"$ref": f"#/components/schemas/{name}"})


def _body(kind: str, schema: Schema) -> dict[str, Any]:
    return {"description": "The answer.", "content": {kind: {"schema": schema}}}


def _in_path(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}
