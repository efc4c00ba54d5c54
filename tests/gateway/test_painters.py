"""What the choice of a painter promises: the built-in one, one's own, or none."""

import hashlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from PIL import Image

from batchgen.errors import SettingsError
from batchgen.gateway import painters
from batchgen.gateway.painter import PaintRequest
from batchgen.gateway.painting import Work, paint_elsewhere
from batchgen.gateway.task import Asked, Task, seed
from tests.gateway import own_painter
from tests.gateway.house import CREATE, house

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent.parent.parent
OWN = "tests.gateway.own_painter:paint"


def work(place: Path, kind: str = "png") -> Work:
    asked = Asked("nano-banana-pro", "a red cube", "1:1", "1K", kind)
    task = Task("task_1", "owner", None, None, "0" * 64, asked, 0, 0.0, 0.0, f"picture.{kind}")
    return Work(task, str(place / f"picture.{kind}"), {})


@pytest.mark.parametrize("kind", ["png", "jpg"])
async def test_no_painter_gives_a_tiny_picture(kind: str, tmp_path: Path) -> None:
    """`none` paints nothing and answers with a whole picture of the format that was asked for."""
    paint = await painters.chosen("none")
    async with house(tmp_path / "gw", paint=paint) as gateway:
        done = await gateway.bought({**CREATE, "output_format": kind})
        answer = await gateway.client.get(done["result"]["data"][0]["url"])
    picture = Image.open(io.BytesIO(answer.content))
    picture.load()
    assert picture.format == {"png": "PNG", "jpg": "JPEG"}[kind]
    assert len(answer.content) < 400


async def test_ones_own_painter_paints(tmp_path: Path) -> None:
    """`module:attribute` is loaded in a process of its own and gets the request and the task's own seed."""
    paint = await painters.chosen(OWN)
    async with house(tmp_path / "gw", paint=paint) as gateway:
        done = [await gateway.bought() for _ in range(2)]
        takes = [(await gateway.client.get(each["result"]["data"][0]["url"])).content for each in done]
    request = PaintRequest("a red cube", "1:1", "1K", "png")
    assert takes == [own_painter.paint(request, seed(each["task_id"])) for each in done]
    assert takes[0] != takes[1]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_module_here:paint", "ModuleNotFoundError"),
        ("tests.gateway.own_painter:missing", "AttributeError"),
        ("tests.gateway.own_painter:nothing", "cannot be called"),
        ("tests.gateway.own_painter", "AttributeError"),
        ("", "ValueError"),
    ],
)
async def test_a_painter_that_is_not_there_is_refused_at_the_start(name: str, why: str) -> None:
    """A name that leads to no painter is told before anything is served."""
    with pytest.raises(SettingsError, match=rf"--painter {name}: .*{why}"):
        await painters.chosen(name)


async def test_what_is_no_picture_fails_the_task(tmp_path: Path) -> None:
    """A painter that gives something else, or another format, ends its task with an error; nothing is handed out."""
    async with house(tmp_path / "gw", paint=await painters.chosen("tests.gateway.own_painter:liar")) as gateway:
        done = await gateway.bought()
        assert done["state"] == "fail"
        assert list((tmp_path / "gw/pictures").iterdir()) == []
    async with house(tmp_path / "gw", paint=await painters.chosen("tests.gateway.own_painter:only_png")) as gateway:
        assert (await gateway.bought({**CREATE, "output_format": "jpg"}))["state"] == "fail"
        assert (await gateway.bought({**CREATE, "output_format": "png"}))["state"] == "success"


async def test_a_picture_that_a_crash_left_is_not_painted_again(tmp_path: Path) -> None:
    """A file that stands whole under its name is taken as it is."""
    order = work(tmp_path)
    file, left = anyio.Path(order.path), own_painter.paint(PaintRequest("x"), 1)
    await file.write_bytes(left)
    first = await paint_elsewhere(order)
    assert first == hashlib.sha256(left).hexdigest()
    assert await file.read_bytes() == left
    await file.unlink()
    assert await paint_elsewhere(order) != first


FAKES = {
    "torch": """
float16 = "float16"


class Generator:
    def __init__(self, device):
        self.device = device

    def manual_seed(self, seed):
        self.seed = seed
        return self
""",
    "diffusers": """
from types import SimpleNamespace

from PIL import Image


class AutoPipelineForText2Image:
    @classmethod
    def from_pretrained(cls, path, torch_dtype):
        return cls()

    def to(self, device):
        return self

    def __call__(self, *, prompt, width, height, generator):
        colour = (len(prompt) % 256, generator.seed % 256, 9)
        return SimpleNamespace(images=[Image.new("RGB", (width, height), colour)])
""",
}


def test_the_documented_example_paints(tmp_path: Path) -> None:
    """The page's example of a local model runs as it stands, with stand-ins for its two libraries."""
    page = (HERE / "docs/painter.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for name, text in {"model": example, **FAKES}.items():
        (tmp_path / f"{name}.py").write_text(text)
    use = (
        "import sys, model; from batchgen.gateway.painter import PaintRequest\n"
        "sys.stdout.buffer.write(model.paint(PaintRequest('a cat', '16:9', output_format='jpg'), 2**63 + 5))"
    )
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{HERE}"}
    done = subprocess.run([sys.executable, "-c", use], env=environ, check=True, stdout=subprocess.PIPE)
    picture = Image.open(io.BytesIO(done.stdout))
    assert (picture.format, picture.size) == ("JPEG", (1344, 768))
