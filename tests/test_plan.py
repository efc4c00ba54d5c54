"""What a run would do, what it costs, and who allows it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from batchgen import expansion
from batchgen.api.models import BUILT_IN, Catalogue
from batchgen.batch.allowing import allow
from batchgen.batch.asked import RunOptions, asked
from batchgen.batch.wishes import redo_of
from batchgen.errors import SettingsError
from batchgen.job import Request
from batchgen.journal import Comparison, Run
from batchgen.manifest.load import load
from batchgen.manifest.problems import ManifestProblems
from batchgen.plan import Allowance, Cost, Plan, Prices, check, consent, costs, forecast, paper
from batchgen.plan.forecast import Experience, Forecast
from batchgen.report.words import usd
from batchgen.terms import Budget, Limits, Price, Rate, Terms
from tests.manifest.writing import HEAD, write
from tests.report.made import run

PRO = Request("nano-banana-pro", "p", resolution="4K")
DRAFT = Request("gpt-image-2", "p")
LISTED = Catalogue({**BUILT_IN, "gpt-image-2": replace(BUILT_IN["gpt-image-2"], tiers={"1k_2k": 70_000, "4k": 0})})


def plan(priced: int = 0, unpriced: int = 0, *, new: bool = True) -> Plan:
    """A plan to buy so many pictures at a dollar, and at a price nobody knows."""
    bill = (Cost("a", priced, 1_000_000, "budget.prices"), Cost("b", unpriced, None, ""))
    return Plan("/f", "n", 1, new, Comparison({}, priced + unpriced, {}), costs=bill, digest="d")


def test_ours_win_over_the_providers_list() -> None:
    """`budget.prices` first, by size, then the list; a price of 0 there is none; each says where it comes from."""
    ours = Budget(prices={"nano-banana-pro": Price(tiers_micro_usd={"1k_2k": 120_000, "4k": 240_000})})
    prices = Prices(ours, LISTED)
    assert (prices.of(PRO), prices.source(PRO)) == (240_000, "budget.prices")
    assert (prices.of(DRAFT), prices.source(DRAFT)) == (70_000, "the provider's list")
    dear = replace(DRAFT, resolution="4K", aspect_ratio="16:9")
    assert (prices.of(dear), prices.source(dear)) == (None, "")
    bill = costs([(PRO, 2), (DRAFT, 3), (replace(DRAFT, aspect_ratio="1:1"), 4)], prices, {"gpt-image-2 1K": 60_000})
    assert [(each.name, each.pictures, each.moved) for each in bill] == [
        ("gpt-image-2 1K", 7, True), ("nano-banana-pro 4K", 2, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("most", "asked", "says"),
    [
        (60_000, True, "a picture costs $0.07, and budget.max_usd_per_picture allows $0.06"),
        (70_000, True, ""),
        (60_000, False, "a picture costs $0.07, and budget"),
        (None, True, ""),
    ],
)
def test_a_picture_may_not_cost_more(most: int | None, asked: bool, says: str, tmp_path: Path) -> None:
    """A picture that costs more than it may is a problem at its place."""
    budget = Budget(max_micro_usd_per_picture=most, prices={"m": Price(70_000)})
    said = _refused(Prices(budget, asked=asked), tmp_path)
    assert (says in said) if says else ("costs" not in said)


@pytest.mark.parametrize(
    ("most", "asked", "refused"), [(60_000, True, True), (60_000, False, False), (None, True, False)]
)
def test_an_unknown_price_is_not_below_a_bound(most: int | None, asked: bool, refused: bool, tmp_path: Path) -> None:
    """Where a picture may not cost more than so much, one whose price nobody says is refused, once asked for."""
    said = _refused(Prices(Budget(max_micro_usd_per_picture=most), asked=asked), tmp_path)
    assert ("nobody says what a picture costs, and budget.max_usd_per_picture allows $0.06" in said) == refused
    assert ("budget: {prices: {m: …}}" in said) == refused


def _refused(prices: Prices, folder: Path) -> str:
    """What is wrong with buying one picture at these prices."""
    manifest = load(write(folder, HEAD + "jobs: [{id: a, model: m, prompt: p}]\n"))
    with expansion.expanded(manifest) as made:
        try:
            check(made, made.scratch.by_shape(), prices)
        except ManifestProblems as problems:
            return str(problems)
    return ""


@pytest.mark.parametrize(
    ("found", "allowed", "allows"),
    [
        (plan(20), Allowance(), True),
        (plan(21), Allowance(), False),
        (plan(21), Allowance(21_000_000), True),
        (plan(21), Allowance(20_999_999), False),
        (plan(21, new=False), Allowance(1), True),
        (plan(21), Allowance(max_pictures=21), False),
        (plan(21), Allowance(planned=True), True),
        (plan(0, 1), Allowance(), False),
        (plan(0, 1), Allowance(max_pictures=1), True),
        (plan(0, 2), Allowance(max_pictures=1), False),
        (plan(0, 2, new=False), Allowance(max_pictures=1), True),
        (plan(1, 1), Allowance(max_pictures=2), False),
        (plan(1, 1), Allowance(1_000_000, 2), True),
        (plan(0, 0), Allowance(), True),
    ],
)
def test_consent_is_a_number(found: Plan, allowed: Allowance, allows: bool) -> None:
    """Without a person, a dear plan or an unknown price needs a number, which for a new batch covers all of it."""
    if allows:
        consent(found, allowed, 20_000_000, None)
        return
    with pytest.raises(SettingsError, match="nothing was sent"):
        consent(found, allowed, 20_000_000, None)
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    with pytest.raises(SettingsError):
        consent(found, allowed, 20_000_000, no)
    consent(found, allowed, 20_000_000, lambda _: True)
    assert (usd(found.cost_micro_usd) if found.cost_micro_usd else "not known") in asked[0]


def test_the_refusal_says_what_would_allow_it() -> None:
    """The options that the message names are enough."""
    with pytest.raises(SettingsError, match=r"--max-usd 21 --max-pictures 22"):
        consent(plan(21, 1), Allowance(), 20_000_000, None)


@pytest.mark.parametrize(
    ("limits", "pictures", "seconds", "reason"),
    [
        (Limits(in_flight=10, rate=None), 5, 30, "the provider"),
        (Limits(in_flight=10, rate=None), 1000, 3000, "10 in flight"),
        (Limits(in_flight=1000, rate=Rate(15, 10)), 1500, 1030, "the rate 15/10s"),
        (Limits(in_flight=100_000, rate=None), 80_000, 10_000, "8 submits at a time"),
    ],
)
def test_time_and_what_holds_it_back(
    limits: Limits, pictures: int, seconds: float, reason: str, tmp_path: Path
) -> None:
    """The slowest of the provider, the jobs in flight, the rate and the submits; by what was seen before."""
    seen = Experience({"gpt-image-2": 30.0}, {"gpt-image-2": 1_000_000})
    found = forecast([(DRAFT, pictures)], Terms(limits=limits), seen, str(tmp_path / "not/there"), jobs=pictures)
    assert (round(found.seconds), found.guessed) == (seconds, False)
    assert reason in found.reason
    assert found.needed_bytes == pictures * 1_002_500
    assert found.free_bytes


def test_room_is_measured(tmp_path: Path) -> None:
    """Pictures that do not fit are told; a guess counts for a quarter."""
    found = forecast([(DRAFT, 1)], Terms(), Experience(), str(tmp_path), jobs=1)
    assert found.fits
    assert replace(found, needed_bytes=4 * (found.free_bytes or 0)).fits
    assert not replace(found, needed_bytes=5 * (found.free_bytes or 0)).fits
    assert not replace(found, needed_bytes=2 * (found.free_bytes or 0), guessed=False).fits


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda found: replace(found, digest="e"), "t.csv"),
        (lambda found: replace(found, folder="/g"), "it is for the batch in /f"),
        (lambda found: replace(found, wishes="--only x"), "made with no options"),
        (lambda found: replace(found, comparison=Comparison({}, 9, {})), "9 pictures would be bought"),
        (lambda found: replace(found, costs=(Cost("a", 3, 2_000_000, ""),)), "a costs $2.00, planned was $1.00"),
        (lambda found: replace(found, costs=(Cost("b", 3, 1, ""),)), "planned was an unknown price"),
    ],
)
def test_a_plan_on_paper_says_what_moved(edit: Callable[[Plan], Plan], says: str, tmp_path: Path) -> None:
    """Files, folder, wishes, prices, numbers; less to buy than planned is no surprise."""
    found = plan(3)
    (tmp_path / "plan.json").write_text(paper.as_text(found))
    given = paper.read(str(tmp_path / "plan.json"))
    paper.hold_to(given, found, [])
    paper.hold_to(given, replace(found, comparison=Comparison({}, 1, {})), [])
    with pytest.raises(SettingsError, match="no longer holds") as refused:
        paper.hold_to(given, edit(found), ["t.csv"])
    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v": 2, "jobs": "", "prices": {}, "to_buy": 1}'])
def test_what_is_no_plan(text: str, tmp_path: Path) -> None:
    """Any other file is refused in words, and so is one that is not there."""
    (tmp_path / "plan.json").write_text(text)
    for name in ("plan.json", "nowhere.json"):
        with pytest.raises(SettingsError, match="plan"):
            paper.read(str(tmp_path / name))


def told(words: str, exit_code: int | None, verb: str = "run") -> Run:
    """A run that was told to do something again."""
    return replace(run(exit_code=exit_code), redo=words, verb=verb)


@pytest.mark.parametrize(
    ("runs", "decided"),
    [
        ([], False),
        ([told("failed", 0)], False),
        ([told("failed", 1)], False),
        *(([told("failed", code)], True) for code in (None, 4, 70, 75, 130, 143)),
        ([told("changed", 75)], False),
        ([told("", 130), told("failed", None)], True),
        ([told("", 0), told("failed", None)], False),
        ([told("", 0, "resolve"), told("failed", 75)], True),
    ],
)
def test_a_redo_is_decided_once(runs: list[Run], decided: bool) -> None:
    """While the run that decided it is unfinished, the same words only go on with its choice."""
    found = redo_of(["failed"], runs)
    assert found is not None
    assert (found.words, found.decided) == ("failed", decided)


def test_what_redo_means(tmp_path: Path) -> None:
    """Words, classes, globs and picks files, in any order; failed is every class but dropped."""
    picks = tmp_path / "picks.json"
    picks.write_text(json.dumps({"v": 1, "picks": [{"id": "shoe", "attempt": 2}]}))
    found = redo_of(["shoes/*", "changed", "in_doubt", str(picks)], [])
    assert found is not None
    assert (found.changed, found.in_doubt, found.globs, found.picks) == (True, True, ("shoes/*",), {"shoe": 2})
    failed = redo_of(["failed"], [])
    assert failed is not None
    assert failed.classes == {"transient", "refused", "rejected", "expired", "bad_asset"}
    picks.write_text("shoe")
    with pytest.raises(SettingsError, match="no picks file"):
        redo_of([str(picks)], [])


def test_a_full_disk_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """Pictures that have no room are not bought: the sentence says how much is free, how much is needed, what to do."""
    manifest = tmp_path / "m.yaml"
    manifest.write_text("batchgen: 1\nname: a\nprovider: local\njobs: [{id: a, model: m, prompt: p}]\n")
    (tmp_path / "outputs").mkdir()
    options = RunOptions(str(manifest))
    found = Plan("/a", "a", 1, True, Comparison({"new": 9}, 9, {}))
    allow(
        asked(options),
        replace(found, forecast=Forecast(needed_bytes=10**9, free_bytes=2 * 10**9, guessed=False)),
        options,
    )
    full = replace(found, forecast=Forecast(needed_bytes=2 * 10**9, free_bytes=10**9, guessed=False))
    with pytest.raises(SettingsError, match=r"/a has room for 1.0 GB, and .* about 2.0 GB; .* --outputs. Nothing was"):
        allow(asked(options), full, options)
