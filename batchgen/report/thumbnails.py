"""Thumbnails of stored pictures: each made once, kept by its picture's hash, and never a reason to stop.

They are made in processes of their own, as many as there are cores, which know no credential and may die of a picture.
"""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import IO, Final, Self

from batchgen.errors import BatchgenError
from batchgen.job import Asset
from batchgen.store import Shelf
from batchgen.store.disk import RealDisk
from batchgen.store.folder import Folder
from batchgen.store.thumbs import keep, place, whole

_PROGRAM: Final = (
    "import json, sys\n"
    "sys.path[:] = json.loads(sys.stdin.buffer.readline())\n"
    "from batchgen.report.shrink import main\n"
    "main()\n"
)
_MOST: Final = 1024 * 1024
_AHEAD: Final = 4

_PLACEHOLDER: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 320" width="320" height="320">'
    b'<rect width="320" height="320" fill="#80808033"/><path d="M104 216l40-52 28 34 20-24 32 42z" fill="#80808066"/>'
    b'<circle cx="204" cy="124" r="16" fill="#80808066"/>'
    b'<path d="M84 84L236 236" stroke="#808080" stroke-width="6" stroke-linecap="round"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture as bytes; `problem` says why it is a placeholder, empty when it is none."""

    data: bytes
    media_type: str = "image/jpeg"
    problem: str = ""


def placeholder(problem: str) -> Thumbnail:
    """What stands where a picture cannot be shown."""
    return Thumbnail(_PLACEHOLDER, "image/svg+xml", problem)


class Thumbnails:
    """The thumbnails of one batch folder; safe to be asked from many threads. Use it as a context manager.

    `pictures` is where the pictures are, if not in the folder: they are fetched to be made small. A folder that cannot
    be written costs only time: thumbnails are made again when they are asked for again.
    """

    def __init__(
        self, folder: str | os.PathLike[str], processes: int | None = None, pictures: Shelf | None = None
    ) -> None:
        self._pictures = pictures
        self._folder = Folder(os.path.realpath(folder), RealDisk())
        self._count = processes or len(os.sched_getaffinity(0))
        self._idle: queue.SimpleQueue[_Shrinker | None] = queue.SimpleQueue()
        for _ in range(self._count):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, once what is being made is done; callable twice."""
        for _ in range(self._count):
            if (each := self._idle.get()) is not None:
                each.end()
        for _ in range(self._count):
            self._idle.put(None)

    def place(self, asset: Asset) -> str:
        """Where the thumbnail of a picture is kept, or would be."""
        return place(self._folder.root, asset.sha256)

    def get(self, asset: Asset) -> Thumbnail:
        """The thumbnail of a picture, kept or made now, or a placeholder. Blocks; raises nothing."""
        if data := whole(self.place(asset)):
            return Thumbnail(data)
        made = self._here(asset) if self._pictures is None else self._fetched(self._pictures, asset)
        if not made.problem:
            keep(self.place(asset), made.data)
        return made

    def _here(self, asset: Asset) -> Thumbnail:
        try:
            path = self._folder.path(asset.name)
            size = os.lstat(path).st_size
        except (OSError, ValueError, BatchgenError):
            return placeholder("the picture is not there")
        if size != asset.size or not os.path.isfile(path) or os.path.islink(path):
            return placeholder("the picture is not the one that was stored")
        return self._make(path)

    def _fetched(self, pictures: Shelf, asset: Asset) -> Thumbnail:
        try:
            with pictures.open(asset.name) as file, NamedTemporaryFile(prefix="batchgen-") as copy:
                shutil.copyfileobj(file, copy)
                copy.flush()
                if copy.tell() != asset.size:
                    return placeholder("the picture is not the one that was stored")
                return self._make(copy.name)
        except (OSError, ValueError, BatchgenError):
            return placeholder("the picture is not there")

    def each(self, assets: Iterable[Asset]) -> Iterator[tuple[Asset, Thumbnail]]:
        """All of them in order, made side by side; only a few are held at once."""
        with ThreadPoolExecutor(self._count, thread_name_prefix="thumbnail") as threads:
            waiting: deque[tuple[Asset, Future[Thumbnail]]] = deque()
            for asset in assets:
                waiting.append((asset, threads.submit(self.get, asset)))
                if len(waiting) > _AHEAD * self._count:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()

    def _make(self, path: str) -> Thumbnail:
        shrinker = self._idle.get()
        try:
            shrinker = shrinker or _Shrinker()
            return shrinker.shrink(path)
        except (OSError, ValueError):
            if shrinker is not None:
                shrinker.end()
            shrinker = None
            return placeholder("the picture could not be read")
        finally:
            self._idle.put(shrinker)


class _Shrinker:
    """One process, which makes one picture small at a time."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", _PROGRAM],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,
        )
        self._send(sys.path)
        self._answers.readline()  # that it is ready

    @property
    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _send(self, message: str | list[str]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
        self._process.stdin.flush()

    def shrink(self, path: str) -> Thumbnail:
        """The thumbnail of a file, or a placeholder for a bad one.

        Raises:
            OSError, ValueError: the process died of it.
        """
        self._send(path)
        match json.loads(self._answers.readline(4096)):
            case {"bytes": int(count)} if 0 < count <= _MOST:
                data = self._answers.read(count)
                if len(data) == count:
                    return Thumbnail(data)
            case {"bad": str(reason)}:
                return placeholder(reason)
        raise ValueError("the process said something else")

    def end(self) -> None:
        """Kill it, which loses nothing."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.communicate()
