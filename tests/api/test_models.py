"""What each model takes, and what a catalogue can add."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api import models
from batchgen.api.models import BUILT_IN, Catalogue, fetch, read
from batchgen.api.outcomes import Answer
from batchgen.errors import Unavailable
from batchgen.job import Request, UrlReference

pytestmark = pytest.mark.anyio


def card(name: str = "seedream", **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "model", "modalities": ["text", "image"], "enabled": True, **more}


def catalogue(*cards: dict[str, Any]) -> Catalogue:
    return read({"object": "list", "data": list(cards)})


def messages(found: Catalogue, request: Request) -> list[tuple[str, str]]:
    return [(each.field, each.suggestion) for each in found.check(request)]


@pytest.mark.parametrize("model", BUILT_IN)
def test_every_listed_value_is_taken(model: str) -> None:
    """Every value of every field passes by itself."""
    for name, values in BUILT_IN[model].values.items():
        for value in values:
            extra = {"aspect_ratio": "16:9"} if name == "resolution" else {}
            assert not Catalogue().check(Request(model, "p", **{name: value}, **extra))  # type: ignore[arg-type]


def test_the_built_in_lists_are_those_of_the_pages() -> None:
    """The lists of both models, in their order."""
    nano, gpt = BUILT_IN["nano-banana-pro"], BUILT_IN["gpt-image-2"]
    assert " ".join(nano.values["aspect_ratio"]) == "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9 auto"
    assert " ".join(gpt.values["aspect_ratio"]) == "auto 1:1 9:16 16:9 4:3 3:4"
    assert nano.values["resolution"] == gpt.values["resolution"] == ("1K", "2K", "4K")
    assert (nano.references, gpt.references) == (8, 16)
    assert (nano.reference_bytes, nano.reference_types) == (31_457_280, ("image/png", "image/jpeg", "image/webp"))


def test_rules_across_fields() -> None:
    """gpt-image-2 makes 2K of 1:1 and 4K of 16:9, and every problem of a request is told at once."""
    found = Catalogue()
    assert not found.check(Request("gpt-image-2", "p", aspect_ratio="1:1", resolution="2K"))
    assert not found.check(Request("gpt-image-2", "p", aspect_ratio="16:9", resolution="4K"))
    assert not found.check(Request("nano-banana-pro", "p", aspect_ratio="auto", resolution="4K"))
    many = Request("gpt-image-2", "  ", aspect_ratio="21:9", resolution="8K", output_format="gif")
    assert [each.field for each in found.check(many)] == ["prompt", "aspect_ratio", "resolution", "output_format"]


@pytest.mark.parametrize(
    ("asked", "meant"), [("gpt_image_2", "gpt-image-2"), ("Nano-Banana-Pro", "nano-banana-pro"), ("x", "")]
)
def test_an_unknown_model_gets_a_suggestion(asked: str, meant: str) -> None:
    """A name that is nearly right is answered with the right one."""
    assert messages(Catalogue(), Request(asked, "p")) == [("model", meant)]


def test_other_models_come_from_the_catalogue_alone() -> None:
    """A model that is not built in takes what its card says, no more."""
    able = {
        "parameters": [{"name": "aspect_ratio", "enum": ["1:1", "2:1"]}, {"name": "steps"}],
        "reference_input": {"supported": True, "max_items": 2},
    }
    found = catalogue(card(capabilities=able, available_channels=[{"id": 3}, {"id": 9}]))
    urls = (UrlReference("https://a.example/x"),)
    assert not found.check(Request("seedream", "p", aspect_ratio="2:1", channel_id=9, references=urls * 2))
    assert [each.field for each in found.check(Request("seedream", "p", aspect_ratio="1:9", resolution="1K"))] == [
        "aspect_ratio",
        "resolution",
    ]
    assert messages(found, Request("seedream", "p", channel_id=4, references=urls * 3)) == [
        ("channel_id", ""),
        ("references", ""),
    ]


def test_a_card_that_says_nothing_takes_anything() -> None:
    """Where a card lists no parameters, values are left to the provider; references are not."""
    found = catalogue(card())
    assert not found.check(Request("seedream", "p", aspect_ratio="7:5", resolution="3K", output_format="webp"))
    assert messages(found, Request("seedream", "p", references=(UrlReference("https://a.example/x"),))) == [
        ("references", "")
    ]


def test_a_catalogue_widens_and_never_narrows() -> None:
    """A card of a built-in model adds values and limits, gives no new field, and takes nothing away."""
    parameters = [{"name": "aspect_ratio", "enum": ["8:1"]}, {"name": "output_format", "enum": ["webp"]}]
    refs = {"supported": True, "max_items": 3, "accepted_mime": ["image/avif"], "max_size_per_file_bytes": 5}
    found = catalogue(card("gpt-image-2", capabilities={"parameters": parameters, "reference_input": refs}))
    rules = found.rules["gpt-image-2"]
    assert rules.values["aspect_ratio"] == (*BUILT_IN["gpt-image-2"].values["aspect_ratio"], "8:1")
    assert "output_format" not in rules.values
    assert (rules.references, rules.reference_bytes) == (16, 31_457_280)
    assert rules.reference_types == ("image/png", "image/jpeg", "image/webp", "image/avif")
    assert found.warnings == ("nano-banana-pro is not in the provider's catalogue; built-in rules are used",)


def test_models_of_other_kinds_are_left_out() -> None:
    """Text and video models are no image models, and a catalogue of nothing else is a warning."""
    text = card("llm", modalities=["text"])
    assert "llm" not in catalogue(card(), text).rules
    poor = catalogue(text)
    assert poor.rules == BUILT_IN
    assert "no image model" in poor.warnings[0]


def test_prices_are_read_by_resolution() -> None:
    """A tier's name says its resolutions; 0 means not filled in; a flat price is for all."""
    tiers = [{"id": "1k_2k", "price_micro_usdc": 70_000}, {"id": "4k", "price_micro_usdc": 0}, {"id": "x"}]
    found = catalogue(
        card("nano-banana-pro", capabilities={"pricing": {"tiers": tiers}}),
        card("gpt-image-2", capabilities={"pricing": {"mode": "flat", "price_micro_usdc": 70_001}}),
    )
    prices = [found.price_micro_usd(Request("nano-banana-pro", "p", resolution=size)) for size in (None, "2K", "4K")]
    assert prices == [70_000, 70_000, None]
    assert found.price_micro_usd(Request("gpt-image-2", "p")) == 70_001
    assert found.price_micro_usd(Request("unheard", "p")) is None
    assert Catalogue().price_micro_usd(Request("gpt-image-2", "p")) is None


def answer(status: int, document: object = None) -> Answer:
    return Answer(status, httpx.Headers(), json.dumps(document).encode())


@pytest.mark.parametrize("second", [answer(401), answer(200, []), Unavailable("host: no answer")])
async def test_a_key_is_tried_once_and_then_the_built_in_rules_hold(second: Answer | Unavailable) -> None:
    """Without a key first, with it after a 402, and then a warning in place of an error."""
    asked: list[bool] = []

    async def ask(*, anonymously: bool) -> Answer:
        asked.append(anonymously)
        if len(asked) == 1:
            return answer(402)
        if isinstance(second, Unavailable):
            raise second
        return second

    found = await fetch(ask)
    assert asked == [True, False]
    assert found.rules == BUILT_IN
    assert "built-in rules are used" in found.warnings[0]


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def odd_cards(draw: st.DrawFn) -> Any:
    """A card with some of its parts replaced by anything."""
    able: dict[str, Any] = {
        "parameters": [{"name": "resolution", "enum": ["1K", draw(json_values)]}, draw(json_values)],
        "reference_input": {"supported": draw(json_values), "max_items": draw(json_values), "accepted_mime": ["a", 1]},
        "pricing": {"tiers": [{"id": draw(json_values), "price_micro_usdc": draw(json_values)}]},
    }
    for name in draw(st.sets(st.sampled_from(list(able)))):
        able[name] = draw(json_values)
    name = draw(st.sampled_from(["gpt-image-2", "other"]) | json_values)
    odd = card(name, capabilities=draw(st.just(able) | json_values), available_channels=draw(json_values))
    return draw(st.just(odd) | json_values)


@settings(max_examples=60, deadline=None)
@given(st.lists(odd_cards(), max_size=3))
def test_no_catalogue_breaks_the_reader_or_narrows_it(cards: list[Any]) -> None:
    """Whatever a catalogue holds it is read, and what was allowed without it stays allowed."""
    found = read({"data": cards})
    for model, rules in BUILT_IN.items():
        for name, values in rules.values.items():
            assert set(values) <= set(found.rules[model].values[name])
        assert found.rules[model].references >= rules.references
        assert not found.check(Request(model, "p", aspect_ratio="16:9", resolution="4K"))
    for model in found.rules:
        found.check(Request(model, "p", aspect_ratio="16:9", resolution="9K", channel_id=4))
        price = found.price_micro_usd(Request(model, "p"))
        assert price is None or price > 0


def test_problems_say_what_is_sold() -> None:
    """A problem names the model, what it lacks and what it has."""
    (problem,) = Catalogue().check(Request("nano-banana-pro", "p", resolution="3K"))
    assert problem == models.Problem("resolution", "nano-banana-pro has no resolution '3K'; it has 1K, 2K, 4K")
