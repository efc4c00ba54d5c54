"""The documentation as one page of HTML, written from the OpenAPI document; it loads nothing and runs nothing."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f4}pre{padding:.7rem;overflow:auto}"
    "h2{border-top:1px solid #ddd;padding-top:1rem}b{background:#245;color:#fff;padding:.1rem .5rem;margin-right:.5rem}"
    "td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
)


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    return "\n".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
            f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{escape(info['description'])} For programs: <a href='/openapi.json'>openapi.json</a>.</p>",
            *_operations(document["paths"]),
            "<h2>Bodies</h2>",
            *_schemas(document["components"]["schemas"]),
        )
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield f"<h2><b>{method.upper()}</b><code>{escape(path)}</code></h2>"
            key = "; needs a key, as <code>Authorization: Bearer KEY</code>" if operation.get("security") else ""
            yield f"<p>{escape(operation['summary'])}{key}.</p>"
            yield from _bodies(operation.get("requestBody", {}).get("content", {}))
            yield "<table>"
            yield from (_parameter(each) for each in operation.get("parameters", ()))
            yield from (_answer(*each) for each in operation["responses"].items())
            yield "</table>"


def _bodies(content: Mapping[str, Any]) -> Iterator[str]:
    for kind, body in content.items():
        yield f"<details><summary>body: <code>{escape(kind)}</code></summary>{_pretty(body['schema'])}</details>"


def _parameter(parameter: Mapping[str, Any]) -> str:
    where = f"{parameter['in']}{', required' if parameter.get('required') else ''}"
    return f"<tr><td><code>{escape(parameter['name'])}</code><td>{where}. {escape(parameter.get('description', ''))}"


def _answer(status: str, answer: Mapping[str, Any]) -> str:
    kinds = ", ".join(answer.get("content", {}))
    return f"<tr><td>{status}<td>{escape(answer['description'])} <code>{escape(kinds)}</code>"


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in schemas.items():
        yield f"<details><summary><code>{escape(name)}</code></summary>{_pretty(schema)}</details>"


def _pretty(schema: Any) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
