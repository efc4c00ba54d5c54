"""Clients that nobody here wrote, and the documented commands, against a gateway in a process of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from batchgen.picture import sniff
from tests.gateway.house import PNG
from tests.gateway.test_serve import gateway

HERE = Path(__file__).parent.parent.parent
PAGE = (HERE / "docs/gateway.md").read_text(encoding="utf-8")
DOCUMENTED = "http://127.0.0.1:8787"
COMMANDS = re.findall(r"^```sh\n(curl .*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class There:
    """A gateway in another process: its address, its key, and a folder to type commands in."""

    url: str
    key: str
    folder: Path

    def run(self, command: str, **more: str) -> Any:
        """Type a command of the page: another host, our key, nothing else."""
        assert shutil.which("curl"), "curl is not installed; .ci/test installs it"
        environment = {"PATH": os.environ["PATH"], "KEY": self.key, **more}
        typed = [
            "sh",
            "-c",
            command.replace(DOCUMENTED, self.url).replace("curl ", "curl --silent --fail-with-body ", 1),
        ]
        done = subprocess.run(typed, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    """A gateway in task mode."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "shoe.png").write_bytes(PNG)
    with gateway(folder / "state") as (_, client):
        yield There(str(client.base_url).rstrip("/"), client.headers["Authorization"].removeprefix("Bearer "), folder)


def command(*words: str) -> str:
    (found,) = [each for each in COMMANDS if all(word in each for word in words)]
    return str(found)


def finished(there: There, task_id: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        task = dict(there.run(command("$TASK_ID"), TASK_ID=task_id))
        if task["state"] in {"success", "fail"}:
            return task
    raise AssertionError("not ended in time")


def test_every_documented_command_is_run() -> None:
    """The page has five commands for curl, one for each thing that the tests below do with them."""
    assert len(COMMANDS) == 5
    assert all(shlex.split(each)[0] == "curl" for each in COMMANDS)


def test_curl_lists_the_models(there: There) -> None:
    """The documented command shows the catalogue without a key."""
    assert {card["id"] for card in there.run(command("/v1/models"))["data"]} == {"nano-banana-pro", "gpt-image-2"}


def test_curl_buys_with_json(there: There) -> None:
    """The documented JSON create becomes a task whose picture has the shape that was asked for."""
    created = there.run(command("application/json"))
    assert created["object"] == "task"
    task = finished(there, created["task_id"])
    picture = httpx.get(task["result"]["data"][0]["url"], trust_env=False)
    found = sniff(picture.content)
    assert found is not None
    assert (found.width, found.height, found.media_type) == (1024, 576, picture.headers["content-type"])


def test_curl_buys_with_a_form(there: There) -> None:
    """The documented form, with a reference as address and one as file, becomes a task that is painted."""
    task = finished(there, there.run(command("-F"))["task_id"])
    assert task["state"] == "success"
    assert task["request"]["prompt"] == "The same shoe on a beach"


def test_curl_shows_the_balance(there: There) -> None:
    """The documented command shows what is left."""
    assert there.run(command("/v1/credits/balance"))["balance_micro_usdc"] > 0


def test_the_openai_library_generates_and_downloads(tmp_path: Path) -> None:
    """In legacy mode the OpenAI library gets an address from images.generate, and the picture downloads."""
    with gateway(tmp_path, "--mode", "legacy") as (_, http), library(http) as client:
        answer = client.images.generate(model="gpt-image-2", prompt="A lighthouse at dawn", response_format="url")
        assert answer.data is not None
        (image,) = answer.data
        assert image.url is not None
        assert abs(answer.created - time.time()) < 60
        assert sniff(httpx.get(image.url, trust_env=False).content) is not None
        with pytest.raises(openai.BadRequestError) as refused:
            client.images.generate(model="gpt-image-2", prompt="x", response_format="b64_json")
        assert "response_format" in refused.value.response.json()["message"]
        with library(http, "wrong") as stranger, pytest.raises(openai.AuthenticationError):
            stranger.images.generate(model="gpt-image-2", prompt="x", response_format="url")


def library(http: httpx.Client, key: str | None = None) -> openai.OpenAI:
    own = http.headers["Authorization"].removeprefix("Bearer ")
    return openai.OpenAI(base_url=f"{http.base_url}/v1", api_key=key or own)


def test_the_documented_config_is_taken(tmp_path: Path) -> None:
    """The file of accounts in the documentation is read as it stands."""
    from batchgen.gateway.config import Config

    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "gateway.yaml").write_text(example)
    (tmp_path / "old.key").write_text("old")
    rules = Config(str(tmp_path / "gateway.yaml"), "own", {"CATALOGUE_KEY": "new"}).read()
    assert sorted(account.name for account in rules.accounts.values()) == ["catalogue", "catalogue", "own"]
