"""Where a crash is tried out: a fresh folder with a small manifest, a gateway, and what must hold there."""

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, TypeAlias, get_args

from batchgen.errors import SettingsError
from batchgen.selftest.checker import at_rest, at_the_end
from batchgen.selftest.evidence import Case
from batchgen.selftest.life import Place, facts, live, warm
from batchgen.selftest.moments import Death
from batchgen.selftest.shop import Shop, shop
from batchgen.terms import Idempotency

Setting: TypeAlias = Literal["replay", "crowd", "hold", "machine"]
"""`replay`: the gateway is elsewhere and honours tokens, and a stranger's file holds one of the names; the jobs go one
after the other. `crowd`: they go all at once, and their pictures are labelled, inside and beside. `hold`: it honours no
tokens, and what is in doubt waits. `machine`: the gateway dies with the run, and loses what it has not synced.
"""
SETTINGS: Final[tuple[Setting, ...]] = get_args(Setting)

CREDENTIAL: Final = "canary-3f9c1b77"
STRANGER: Final = "c.png"
JOBS: Final = ("a", "shop/b", "c")
PRICE_MICRO_USD: Final = 134_000
"""What the gateway takes for one picture; the batch may cost just what its pictures cost."""

MOST_LIVES: Final = 6
AGAIN: Final = frozenset({70, 75, 4})
"""Endings after which the same command is typed again; 4 because the disk that failed is well again."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One fresh batch, to be lived in once."""

    place: Place
    case: Case
    setting: Setting

    def end(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.place.root)
        if self.place.own_shop:
            self.place.shop.listener.close()


def idempotency(setting: Setting) -> Idempotency:
    """What the gateway of a setting does with tokens."""
    return "none" if setting == "hold" else "replay"


def scene(home: Path, setting: Setting, elsewhere: Shop) -> Scene:
    """A fresh batch of three pictures below `home`, with the gateway that is elsewhere, or one of its own."""
    root = Path(tempfile.mkdtemp(dir=home))
    tree, own = root / "tree", setting == "machine"
    for each in (tree, tree / "provider", root / "side"):
        each.mkdir()
    folder = tree / "outputs/story"
    at = shop(tree / "provider/gateway", "replay", CREDENTIAL) if own else elsewhere
    prompts = {job: f"{root.name}: {job}" for job in JOBS}
    strangers = {} if own else {STRANGER: b"a file of somebody else"}
    for name, content in strangers.items():
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
    (tree / "m.yaml").write_text(json.dumps(_manifest(at.url, setting, prompts)))
    place = Place(root, at, own)
    place.platter.settle()
    secrets = (CREDENTIAL.encode(), b"signature=")
    case = Case(
        folder,
        at.state,
        prompts,
        strangers,
        setting == "hold",
        secrets,
        (folder, place.out),
        len(JOBS) * PRICE_MICRO_USD,
        labelled=setting == "crowd",
    )
    return Scene(place, case, setting)


def _manifest(url: str, setting: Setting, prompts: dict[str, str]) -> dict[str, Any]:
    at_once = len(JOBS) if setting == "crowd" else 1
    labels = {"embed": True, "sidecar": "json"} if setting == "crowd" else {}
    return {
        "batchgen": 1,
        "name": "story",
        "provider": {"base_url": url, "profile": {"idempotency": idempotency(setting)}},
        "limits": {
            "rate": "none",
            "in_flight": at_once,
            "expert": {"polls_per_second": 1000},
        },
        "budget": {"max_usd": len(prompts) * PRICE_MICRO_USD / 1e6},
        "output": {"check": "structure", **labels},
        "jobs": [{"id": job, "model": "nano-banana-pro", "prompt": prompt} for job, prompt in prompts.items()],
    }


def calls(scene: Scene) -> list[str]:
    """The moments of a life without a death, in order; it must end well and hold every promise."""
    breaches = _lived(scene, None, None)
    if breaches:
        raise SettingsError(f"the batch does not even end well without a death: {'; '.join(breaches)}")
    noted = list(facts(scene.place))
    lives = [index for index, fact in enumerate(noted) if "life" in fact]
    first_life = noted[: lives[1]]
    warm(scene.place)
    return [fact["name"] for fact in first_life if "moment" in fact]


def died(scene: Scene, death: Death, lot: Random) -> list[str] | None:
    """Die so, run again until nothing is left to do, and judge: the breaches. None if it held, and nothing died."""
    breaches = _lived(scene, death, lot)
    return breaches if breaches or any("dies" in fact for fact in facts(scene.place)) else None


def _lived(scene: Scene, death: Death | None, lot: Random | None) -> list[str]:
    codes = [live(scene.place, death)]
    if death is not None:
        if death.kind in {"power", "torn"}:
            scene.place.platter.cut(lot if death.kind == "torn" else None)
        breaches = at_rest(scene.case, facts(scene.place))
        if breaches:
            return breaches
    while (codes[-1] in AGAIN or codes[-1] < 0 or len(codes) == 1) and len(codes) < MOST_LIVES:
        codes.append(live(scene.place, None))
    fine = {0, 3} if scene.case.held else {0}
    if codes[-1] not in fine:
        return [f"1: the command ends with {codes} and never well"]
    cut = death is not None and death.kind in {"power", "torn"}
    breaches = at_the_end(replace(scene.case, parts_may_return=cut), facts(scene.place))
    if death is not None and death.kind == "kill" and not breaches:
        breaches = _after_a_late_cut(scene)
    return breaches


def _after_a_late_cut(scene: Scene) -> list[str]:
    """A batch that a kill had interrupted is as durable in the end as any other."""
    scene.place.platter.cut(None)
    code, case = live(scene.place, None), replace(scene.case, parts_may_return=True)
    if code not in {0, 3}:
        return [f"1: after a power cut at the end the command ends with {code}"]
    return [f"{each}, after a power cut at the end" for each in at_the_end(case, facts(scene.place))]


def keep(scene: Scene, where: Path) -> None:
    """Keep what a breach has left, for a closer look."""
    where.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        shutil.copytree(scene.place.root, where / scene.place.root.name, dirs_exist_ok=True)
