"""What the painter can draw: from the name of a subject to its function, its size, and how it is held up."""

from collections.abc import Callable
from typing import Final, TypeAlias

from batchgen.gateway.painter import (
    animals,
    beasts,
    built,
    food,
    furniture,
    people,
    plants,
    solids,
    wares,
    weather,
    wheels,
)
from batchgen.gateway.painter.canvas import Pen
from batchgen.gateway.painter.colour import Colour

Subject: TypeAlias = Callable[[Pen, Colour], None]

SUBJECTS: Final[dict[str, Subject]] = {
    function.__name__: function
    for function in (
        solids.cube, solids.sphere, solids.planet, solids.pyramid, solids.gem, solids.heart, solids.crown,
        solids.apple, solids.pear, solids.citrus, solids.pumpkin, solids.moon, solids.sun,
        wares.bottle, wares.vase, wares.shoe, wares.mug, wares.chair, wares.lamp, wares.book, wares.laptop,
        wares.phone, wares.cake, wares.clock, wares.headphones, wares.candle, wares.umbrella, wares.guitar,
        wares.camera,
        plants.flower, plants.plant, plants.cactus, plants.tree, plants.fir, plants.palm, animals.cat, animals.dog,
        animals.fox, animals.bird, animals.fish, animals.whale, animals.butterfly, plants.mushroom, people.person,
        people.astronaut, people.robot,
        built.car, built.house, built.rocket, built.boat, built.bridge, built.castle, built.balloon,
        built.lighthouse, beasts.elephant, beasts.owl, beasts.penguin, beasts.rabbit, people.child,
        food.burger, food.icecream, food.pizza, food.teapot, furniture.bed, furniture.sign,
        wheels.bicycle, wheels.train, wheels.bus, weather.rainbow,
    )
}  # fmt: skip
"""By the names that the lexicon uses."""

FLYING: Final = frozenset(
    {"planet", "rocket", "balloon", "butterfly", "fish", "bird", "moon", "sun", "astronaut", "heart", "rainbow"}
)
"""They hang in the air: no shadow on the ground."""

LETTERED: Final = frozenset(
    {
        "laptop",
        "phone",
        "clock",
        "person",
        "sphere",
        "cube",
        "gem",
        "apple",
        "pear",
        "heart",
        "bottle",
        "vase",
        "sign",
        "pizza",
    }
)
"""They are never mirrored: writing, or a highlight that belongs to the light."""

GROWN: Final = {
    "castle": 1.3, "house": 1.2, "tree": 1.35, "fir": 1.35, "palm": 1.3, "bridge": 1.5, "person": 1.5, "car": 1.15,
    "lighthouse": 1.45, "chair": 1.12, "moon": 0.62, "sun": 0.62, "balloon": 1.15, "rocket": 1.15, "boat": 1.1,
    "apple": 0.82, "heart": 0.85, "gem": 0.85, "mushroom": 0.9, "bird": 0.95, "book": 1.1, "bottle": 1.15,
    "guitar": 1.2, "phone": 1.1, "shoe": 1.1, "cube": 1.08, "fish": 0.95, "laptop": 1.15,
    "elephant": 1.2, "owl": 1.0, "bed": 1.3, "bicycle": 1.2, "train": 1.05, "bus": 1.15, "rainbow": 1.55, "sign": 1.15,
    "burger": 0.95, "icecream": 1.1, "child": 1.15,
}  # fmt: skip
"""Size beside the others, 1 when not named."""
