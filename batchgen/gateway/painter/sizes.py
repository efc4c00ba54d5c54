"""How many pixels a picture has: the API's names for shapes, as numbers."""

from typing import Final

LONG_SIDE: Final = {"1K": 1024, "2K": 2048, "4K": 4096}
RATIOS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")


def pixels(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Width and height: the long side is that of the resolution, the other one follows the ratio exactly."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    long = LONG_SIDE[resolution]
    if across >= down:
        return long, round(long * down / across)
    return round(long * across / down), long


def nearest_ratio(width: int, height: int) -> str:
    """The name of the ratio that is closest to these sides."""

    def distance(name: str) -> float:
        across, down = (int(part) for part in name.split(":"))
        wanted, given = across / down, width / height
        return max(wanted, given) / min(wanted, given)

    return min(RATIOS, key=distance)
