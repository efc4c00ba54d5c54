"""Reads a prompt: which things, what colours, which place, what light; pure."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from batchgen.gateway.painter.colour import Colour, darker, lighter
from batchgen.gateway.painter.lexicon import (
    CHARACTERS,
    COLOURS,
    HOMES,
    MATERIALS,
    NAMESAKES,
    NUMBERS,
    PHRASES,
    PLACES,
    THINGS,
    TIMES,
    TONES,
    WEATHER,
    WORN,
)

_QUOTED: Final = re.compile(r"[\"“«]([^\"“”«»\n]{1,40})[\"”»]|(?<!\w)'([^'\n]{1,40})'(?!\w)")
_WORD: Final = re.compile(r"[^\W_]+|[,.;:!?]")
_MOST_THINGS: Final = 4
_STOPS: Final = frozenset(",.;:!?") | {"on", "in", "at", "over", "under", "with", "by", "beside", "near", "and", "of"}
_GLASSY: Final = frozenset({"translucent", "glass", "crystal", "transparent", "ice", "bubble", "frosted"})
_STANDING: Final = frozenset({"portrait", "tall", "vertical", "tower", "poster", "phone", "smartphone", "full-length"})
_LYING: Final = frozenset({"panorama", "panoramic", "landscape", "wide", "skyline", "banner", "cinematic", "horizon"})


@dataclass(frozen=True, slots=True)
class Thing:
    """A subject: what, how many, of which colour (None: its own), and whether light goes through it."""

    kind: str
    count: int = 1
    colour: Colour | None = None
    glassy: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What the words say; `place` and `time` are never empty, colours are in the order of the words.

    `said` is what stands in quotes: lettering for a sign. `lake` puts still water before a landscape.
    """

    things: tuple[Thing, ...]
    place: str
    time: str
    tint: Colour | None
    colours: tuple[Colour, ...]
    named: bool
    mist: bool = False
    weather: frozenset[str] = frozenset()
    said: str = ""
    lake: bool = False


@dataclass(slots=True)
class _Pending:
    colour: Colour | None = None
    count: int = 1
    glassy: bool = False
    tone: float = 0.0
    namesake: str | None = None


def read(prompt: str) -> Scene:
    """The scene of a prompt; words that say nothing to the painter are passed over."""
    quoted = _QUOTED.search(prompt)
    reader = _Reader()
    for word in [*_words(_QUOTED.sub(" ", prompt)), "."]:
        reader.take(word)
    if quoted is None:
        return reader.scene()
    said = " ".join((quoted[1] or quoted[2]).split())
    return replace(reader.lettered().scene(), said=said)


def leaning(prompt: str) -> str:
    """The aspect ratio that the words ask for when the request leaves it open."""
    said = set(_words(prompt))
    if said & _LYING:
        return "16:9"
    return "9:16" if said & _STANDING else "1:1"


def _words(prompt: str) -> list[str]:
    for sign, meaning in CHARACTERS.items():
        prompt = prompt.replace(sign, f" {meaning} ")
    prompt = prompt.lower()
    for phrase, meaning in PHRASES.items():
        prompt = re.sub(rf"\b{phrase}(?=s?\b)", meaning, prompt) if phrase in prompt else prompt
    return [_singular(word) for word in _WORD.findall(prompt)]


def _singular(word: str) -> str:
    known = THINGS.keys() | PLACES.keys() | TIMES.keys() | COLOURS.keys() | MATERIALS.keys() | _GLASSY
    for ending, instead in (("", ""), ("ies", "y"), ("es", ""), ("s", "")):
        if word.endswith(ending) and (stem := word.removesuffix(ending) + instead) in known:
            return stem
    return word


class _Reader:
    """Adjectives wait for the noun that follows them; a comma lets them go."""

    def __init__(self) -> None:
        self._waiting = _Pending()
        self._things: list[Thing] = []
        self._places: list[str] = []
        self._times: list[str] = []
        self._colours: list[Colour] = []
        self._tint: Colour | None = None
        self._weather: set[str] = set()

    def take(self, word: str) -> None:
        """Hear one word."""
        waiting = self._waiting
        if waiting.namesake and (word in _STOPS):
            self._bind(waiting.namesake)
        waiting.count = NUMBERS.get(word, waiting.count)
        waiting.tone = TONES.get(word, waiting.tone)
        waiting.glassy = waiting.glassy or word in _GLASSY
        if word in TIMES:
            self._times.append(TIMES[word])
        if word in WEATHER:
            self._weather.add(WEATHER[word])
        if word in COLOURS or word in MATERIALS:
            self._paint(word)
        elif word in THINGS:
            self._bind(THINGS[word])
        elif word in PLACES:
            self._settle(PLACES[word])
        elif word in ",.;:!?" or word in WORN:
            self._dress()
            self._waiting = _Pending()

    def lettered(self) -> Self:
        """Hear that something stands in quotes: without a sign to stand on, it gets one."""
        if not any(thing.kind == "sign" for thing in self._things):
            self._bind("sign")
        return self

    def scene(self) -> Scene:
        """What was heard."""
        place = self._places[0] if self._places else None
        if place is None:
            place = HOMES.get(self._things[0].kind, "studio") if self._things else self._by_time()
        named = bool(self._things or self._places or self._times or self._colours)
        hours = [time for time in self._times if time not in {"mist", "winter"}]
        time = (hours or self._times or ["day"])[0]
        wet = place in {"mountain", "forest", "meadow", "snow"} and "ocean" in self._places
        return Scene(
            self._crowd(),
            place,
            time,
            self._tint,
            tuple(self._colours),
            named,
            mist="mist" in self._times,
            weather=frozenset(self._weather),
            lake=wet,
        )

    def _crowd(self) -> tuple[Thing, ...]:
        """The things, less what another one brings along."""
        kinds = {thing.kind for thing in self._things}
        spared = {"candle"} if "cake" in kinds else set()
        return tuple(thing for thing in self._things if thing.kind not in spared)

    def _by_time(self) -> str:
        return (
            {"neon": "city", "winter": "snow", "mist": "mountain"}.get(self._times[0], "sky")
            if self._times
            else "abstract"
        )

    def _paint(self, word: str) -> None:
        waiting = self._waiting
        if word in MATERIALS and waiting.colour is not None:
            return  # a blue ceramic pot is blue
        colour = COLOURS.get(word) or MATERIALS[word]
        colour = lighter(colour, waiting.tone) if waiting.tone > 0 else darker(colour, -waiting.tone)
        self._colours.append(colour)
        waiting.colour, waiting.tone, waiting.namesake = colour, 0.0, NAMESAKES.get(word)

    def _dress(self) -> None:
        """A colour that no noun followed belongs to the last subject: "a woman in green"."""
        if self._waiting.colour is not None and self._things and self._things[-1].colour is None:
            self._things[-1] = replace(self._things[-1], colour=self._waiting.colour)

    def _bind(self, kind: str) -> None:
        waiting, self._waiting = self._waiting, _Pending()
        same = [index for index, thing in enumerate(self._things) if thing.kind == kind]
        if same:
            old = self._things[same[0]]
            self._things[same[0]] = Thing(kind, old.count, old.colour or waiting.colour, old.glassy or waiting.glassy)
        elif len(self._things) < _MOST_THINGS:
            self._things.append(Thing(kind, waiting.count, waiting.colour, waiting.glassy))

    def _settle(self, place: str) -> None:
        # "product", "render" and "clean" only speak of a studio; a real place that follows outranks them
        if self._places[:1] == ["studio"] and place != "studio":
            self._places.insert(0, place)
        else:
            self._places.append(place)
        self._waiting.namesake = None
        if self._waiting.colour is not None and place == self._places[0]:
            self._tint, self._waiting = self._waiting.colour, _Pending(count=self._waiting.count)
