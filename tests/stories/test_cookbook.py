"""The cookbook as it is copied: every file and command of it runs from `/`, with no HOME and nothing else of ours."""

import configparser
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import pages
from tests.stories.world import HERE, Gateway, at, gateway, jobs

pytestmark = pytest.mark.timeout(600)  # whole commands, one after the other, on a machine that may be busy

AGAIN = (70, 75, 130, 137, 143)
MORNING = (1, 3)
NOW = (2, 4, 5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all of them."""
    with gateway(tmp_path_factory.mktemp("gateway")) as one:
        yield one


@dataclass(frozen=True)
class Machine:
    """A machine as the cookbook has it, somewhere below a folder: /opt/batchgen, /srv/shop, and the files of a page."""

    root: Path
    key: str

    @property
    def shop(self) -> Path:
        """Where the manifest lies."""
        return self.root / "srv/shop"

    @property
    def hidden(self) -> Path:
        """The folder of the journal."""
        return self.shop / "outputs/catalogue/.batchgen"

    def here(self, text: str) -> str:
        """A text of the cookbook with its paths below this folder."""
        return re.sub(r"(?<![\w/])/(?=opt/|srv/|var/run/)", f"{self.root}/", text)

    def command(self, source: str) -> None:
        """Put a command in the place of the program."""
        path = self.root / "opt/batchgen/bin/batchgen"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o755)

    def install(self) -> None:
        """Put the program itself there."""
        self.command(f'PYTHONPATH={HERE} exec {sys.executable} -m batchgen "$@"')

    def ends_with(self, code: int) -> None:
        """Put a program there that only ends."""
        self.command(f"echo it ended with {code}; exit {code}")

    def write(self, page: str) -> dict[str, Path]:
        """Put the files of a page there, by name."""
        found = {}
        for name, text in pages.files(page).items():
            path = self.root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(text))
            found[Path(name).name] = path
        return found

    def start(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a machine does: from `/`, and with nothing in its environment."""
        return subprocess.run(
            ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environ.items()), *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path, server: Gateway) -> Machine:
    """A machine with the program, a manifest of two pictures and a key."""
    made = Machine(tmp_path, server.key)
    made.install()
    (made.shop / "outputs").mkdir(parents=True)
    manifest = {"batchgen": 1, "name": "catalogue", "jobs": jobs(2), **at(server)}
    (made.shop / "catalogue.yaml").write_text(json.dumps(manifest))
    (made.shop / "xenodia.key").write_text(server.key + "\n")
    return made


@pytest.fixture
def held(machine: Machine) -> Iterator[Machine]:
    """The machine while another run holds the batch."""
    machine.hidden.mkdir(parents=True)
    with (machine.hidden / "lock").open("w") as lock:
        lock.write("process 1 on another.machine")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield machine


def stored(machine: Machine) -> list[str]:
    """The pictures that are there."""
    return sorted(path.name for path in (machine.shop / "outputs/catalogue").glob("*.jpg"))


BOTH = ["job000.jpg", "job001.jpg"]


def test_cron_buys_in_silence(machine: Machine) -> None:
    """The script of cron buys what is owed and prints nothing; the look in the morning then finds it."""
    script = machine.write("cookbook/cron.md")["nightly"]
    for _ in range(2):
        done = machine.start("/bin/sh", str(script))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stored(machine) == BOTH
    (look,) = pages.blocks("cookbook/README.md", "sh")
    done = machine.start("/bin/sh", "-e", "-c", machine.here(look))
    assert done.returncode == 0, done.stderr
    assert len((machine.shop / "pictures.jsonl").read_text().splitlines()) == 2


def test_cron_mails_only_what_needs_a_person(machine: Machine) -> None:
    """Codes that mean again are silent, but for the last try of the night; the others are printed as they ended."""
    script = str(machine.write("cookbook/cron.md")["nightly"])
    for code in (*AGAIN, *MORNING, *NOW):
        machine.ends_with(code)
        said = machine.start("/bin/sh", script)
        assert (said.returncode, said.stdout) == ((0, "") if code in AGAIN else (code, f"it ended with {code}\n")), code
        last = machine.start("/bin/sh", script, "last")
        assert (last.returncode, last.stdout) == (code, f"it ended with {code}\n")


def test_cron_when_the_last_one_still_runs(held: Machine) -> None:
    """While another run holds the batch a try is silent, and the last one of the night says who holds it."""
    script = str(held.write("cookbook/cron.md")["nightly"])
    assert held.start("/bin/sh", script).stdout == ""
    last = held.start("/bin/sh", script, "last")
    assert last.returncode == 75
    assert "held by process 1 on another.machine" in last.stdout


def test_the_crontab_starts_what_is_there() -> None:
    """Each line of the crontab has five times, a user and the path of the script."""
    found = pages.files("cookbook/cron.md")
    lines = [line for line in found["/etc/cron.d/catalogue"].splitlines() if "=" not in line]
    assert len(lines) == 2
    for line in lines:
        *times, user, command = line.split(maxsplit=6)
        assert all(re.fullmatch(r"[\d*/,-]+", each) for each in times)
        assert (len(times), user) == (5, "shop")
        assert command.split()[0] in found


def unit(path: Path) -> configparser.ConfigParser:
    """A unit of systemd."""
    found = configparser.ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(path.read_text())
    return found


def test_systemd_service_runs(machine: Machine) -> None:
    """The service's command buys what is owed; it is tried again and told of as the exit codes say."""
    units = machine.write("cookbook/systemd.md")
    service = unit(units["catalogue.service"])["Service"]
    source, _, path = service["LoadCredential"].partition(":")
    assert Path(path).is_file()
    name, _, value = service["Environment"].partition("=")
    assert value == f"%d/{source}"
    done = machine.start(*shlex.split(service["ExecStart"]), **{name: value.replace("%d", str(machine.shop))})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stored(machine) == BOTH
    assert sorted(map(int, service["RestartPreventExitStatus"].split())) == sorted(MORNING + NOW)
    assert (service["Restart"], service["Type"]) == ("on-failure", "oneshot")
    assert int(service["TimeoutStopSec"].removesuffix("s")) > 25
    assert unit(units["catalogue.service"])["Unit"]["OnFailure"] == "catalogue-wake.service"


def test_systemd_knows_every_word(machine: Machine) -> None:
    """systemd itself finds nothing wrong with the units, where it is there; and each has the sections of its kind."""
    units = machine.write("cookbook/systemd.md")
    assert set(unit(units["catalogue.timer"])) >= {"Unit", "Timer", "Install"}
    logger = Path("/usr/bin/logger")
    if shutil.which("systemd-analyze") is None or not logger.exists():
        return
    done = machine.start(
        shutil.which("systemd-analyze") or "", "verify", "--man=no", *map(str, units.values()), PATH=os.environ["PATH"]
    )
    assert [line for line in done.stderr.splitlines() if "catalogue" in line or str(machine.root) in line] == []


def steps() -> list[dict[str, Any]]:
    """The steps of the workflow, which has what a workflow must have."""
    (source,) = pages.files("cookbook/github-actions.md").values()
    found = yaml.safe_load(source)
    assert set(found) == {"name", True, "concurrency", "jobs"}  # `on` is a truth in YAML 1.1
    assert found["concurrency"]["cancel-in-progress"] is False
    assert all(len(each["cron"].split()) == 5 for each in found[True]["schedule"])
    (job,) = found["jobs"].values()
    assert set(job) == {"runs-on", "timeout-minutes", "steps"}
    assert "self-hosted" in job["runs-on"]
    assert all(set(each) <= {"name", "env", "if", "run", "uses"} for each in job["steps"])
    return list(job["steps"])


def test_the_workflow_buys(machine: Machine) -> None:
    """The steps of the workflow buy what is owed, and write how it stands into the summary."""
    buy, look = steps()
    (name,) = buy["env"]
    assert buy["env"][name] == "${{ secrets.XENODIA_API_KEY }}"
    done = machine.start("/bin/bash", "-e", "-c", machine.here(buy["run"]), **{name: machine.key})
    assert done.returncode == 0, done.stderr
    assert stored(machine) == BOTH
    summary = machine.root / "summary"
    machine.start("/bin/bash", "-e", "-c", machine.here(look["run"]), GITHUB_STEP_SUMMARY=str(summary))
    assert "2 of 2" in summary.read_text()


def test_the_workflow_is_red_when_a_person_must_act(machine: Machine) -> None:
    """A workflow is red for what needs a person now, warns of what can wait for the morning, and else is green."""
    buy, _ = steps()
    for code in (0, 70, 75, *MORNING, *NOW):
        machine.ends_with(code)
        done = machine.start("/bin/bash", "-e", "-c", machine.here(buy["run"]))
        assert done.returncode == (code if code in NOW else 0)
        assert ("::warning::" in done.stdout) == (code in MORNING)


AIRFLOW = '''
"""As much of Airflow as a DAG needs to be defined, and its one task to be called."""
import json, sys, types

class AirflowException(Exception): pass
class AirflowFailException(AirflowException): pass

def dag(**options):
    assert options["max_active_runs"] == 1 and options["catchup"] is False
    return lambda function: function

def task(**options):
    assert options["retries"] > 0
    return lambda function: lambda: told.update(call=function)

told = {}
decorators, exceptions = types.ModuleType("airflow.decorators"), types.ModuleType("airflow.exceptions")
decorators.dag, decorators.task = dag, task
exceptions.AirflowException, exceptions.AirflowFailException = AirflowException, AirflowFailException
sys.modules["airflow"] = types.ModuleType("airflow")
sys.modules |= {"airflow.decorators": decorators, "airflow.exceptions": exceptions}
with open(sys.argv[1]) as file:
    exec(compile(file.read(), sys.argv[1], "exec"))
try:
    print(json.dumps(told["call"]()))
except AirflowException as error:
    print(json.dumps({"raised": type(error).__name__, "reason": str(error)}))
'''


def airflow(machine: Machine, **environ: str) -> dict[str, Any]:
    """What the one task of the DAG gives or raises."""
    path = machine.write("cookbook/airflow.md")["catalogue.py"]
    done = machine.start(sys.executable, "-c", AIRFLOW, str(path), PYTHONPATH=str(HERE), **environ)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_airflow_buys(machine: Machine) -> None:
    """The task of the DAG buys what is owed and hands on what became of it; without a key it fails for good."""
    refused = airflow(machine)
    assert (refused["raised"], "no credential" in refused["reason"]) == ("AirflowFailException", True)
    report = airflow(machine, XENODIA_API_KEY=machine.key)
    assert (report["exit_code"], report["batch"]["counts"]["stored"]) == (0, 2)
    assert stored(machine) == BOTH


def test_airflow_tries_again(held: Machine) -> None:
    """While another run holds the batch the task is one to be tried again."""
    assert airflow(held, XENODIA_API_KEY=held.key)["raised"] == "AirflowException"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with what they say; it has twelve lines."""
    source = pages.files("cookbook/kubernetes.md")["/Dockerfile"]
    assert len(source.splitlines()) == 12
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in source.splitlines() if line)]


def test_the_image_has_what_the_program_is_built_from() -> None:
    """The Dockerfile copies files that are there, all that the package names, and starts a command that it has."""
    found = instructions()
    copied = {name for verb, rest in found if verb == "COPY" for name in rest.split()[:-1]}
    assert all((HERE / name).exists() for name in copied)
    package = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
    project, built = package["project"], package["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {"pyproject.toml", project["readme"], *project["license-files"], *built["packages"]} == copied
    (program,) = json.loads(dict(found)["ENTRYPOINT"])
    assert program in project["scripts"]
    image = re.fullmatch(r"python:3\.(\d+)-slim", dict(found)["FROM"])
    assert image is not None
    assert int(image[1]) >= 11


def test_the_cron_job_buys(machine: Machine) -> None:
    """What the container of the CronJob is started with buys what is owed; each exit code has the end it should."""
    found = yaml.safe_load(machine.here(pages.files("cookbook/kubernetes.md")["/cronjob.yaml"]))
    assert (found["apiVersion"], found["kind"]) == ("batch/v1", "CronJob")
    assert found["spec"]["concurrencyPolicy"] == "Forbid"
    assert len(found["spec"]["schedule"].split()) == 5
    job = found["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    first, second = job["podFailurePolicy"]["rules"]
    assert first["action"] == "FailJob"
    assert first["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [1, 2, 3, 4, 5]}
    assert (second["action"], pod["restartPolicy"]) == ("Ignore", "Never")  # as podFailurePolicy wants it
    volumes = {each["name"] for each in pod["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes
    arguments = container["args"]
    grace = int(arguments[arguments.index("--grace") + 1].removesuffix("s"))
    assert grace < pod["terminationGracePeriodSeconds"]
    (variable,) = container["env"]
    path = Path(variable["value"])
    assert any(str(path).startswith(each["mountPath"]) for each in container["volumeMounts"])
    path.parent.mkdir(parents=True)
    path.write_text(machine.key)
    program = str(machine.root / "opt/batchgen/bin/batchgen")
    done = machine.start(program, *arguments, **{variable["name"]: variable["value"]})
    assert done.returncode == 0, done.stderr
    assert stored(machine) == BOTH


def test_every_recipe_says_the_same_things() -> None:
    """Each page of the cookbook says what is tried again, what wakes a person, and what happens on overlap."""
    recipes = [page for page in (pages.DOCS / "cookbook").glob("*.md") if page.name != "README.md"]
    assert len(recipes) == 5
    for page in recipes:
        text = page.read_text(encoding="utf-8")
        assert all(f"- **{word}**" in text for word in ("Again", "A person", "Overlap")), page.name
