"""Which painter paints: the built-in one, one of the user's own, or none."""

import base64
import hashlib
import importlib
import os
import sys
from functools import lru_cache
from typing import Final

import anyio
import anyio.to_process
import anyio.to_thread

from batchgen.errors import SettingsError
from batchgen.gateway.painting import Paint, Painter, Work, paint_elsewhere, paint_file
from batchgen.gateway.state import save_file

_GREY: Final = {
    "png": (
        "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAGUlEQVR42mNsaOlhIAUwMZAIRjWMahg6GgD6IAGwgBIevQAAAABJRU5ErkJg"
        "gg=="
    ),
    "jpg": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCN"
        "l4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAAR"
        "CAAQABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAA"
        "AQL/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCgFB//2Q=="
    ),
}
"""A grey square of 16 pixels in each format."""


async def chosen(name: str) -> Paint:
    """How to paint with the painter of this name: `builtin`, `none`, or `module:attribute`, which is imported now.

    Raises:
        SettingsError: there is no such painter, or its module cannot be imported.
    """
    match name:
        case "builtin":
            return paint_elsewhere
        case "none":
            return _paint_nothing
    one = anyio.CapacityLimiter(1)  # a model is loaded once, whatever the number of cores
    problem = await anyio.to_process.run_sync(_problem, name, cancellable=True, limiter=one)
    if problem is not None:
        raise SettingsError(f"--painter {name}: {problem}")

    async def paint_there(work: Work) -> str:
        return await anyio.to_process.run_sync(_paint_own, work, name, cancellable=True, limiter=one)

    return paint_there


async def _paint_nothing(work: Work) -> str:
    data = base64.b64decode(_GREY[work.task.asked.file_format])
    await anyio.to_thread.run_sync(save_file, work.path, data)
    return hashlib.sha256(data).hexdigest()


def _paint_own(work: Work, name: str) -> str:
    return paint_file(work, _painter(name))


def _problem(name: str) -> str | None:
    """Why a painter cannot be had, None when it can; runs where it will paint."""
    try:
        _painter(name)
    except Exception as error:
        return f"{type(error).__name__}: {error}; name module:attribute, a function of a request and a seed"
    return None


@lru_cache(maxsize=1)
def _painter(name: str) -> Painter:
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    painter: object = importlib.import_module(module)
    for part in attribute.split("."):
        painter = getattr(painter, part)
    if not callable(painter):
        raise TypeError(f"{attribute} cannot be called")
    return painter
