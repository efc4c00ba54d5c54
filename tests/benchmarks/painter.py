"""How much CPU the painter needs, file and all, for each of the fixed prompts: `python -m tests.benchmarks.painter`.

The best of five paintings counts, since a busy machine only ever adds. Milliseconds of CPU; square pictures have the
most pixels.
"""

import time

from batchgen.gateway.painter import PaintRequest, paint
from tests.painted_page import PROMPTS, SEED

SHAPES = tuple(
    (ratio, resolution, kind)
    for resolution in ("1K", "4K")
    for ratio in ("1:1", "16:9", "9:16")
    for kind in ("png", "jpg")
)
BOUNDS = {"1K": 60, "4K": 300}
ROUNDS = 5


def milliseconds(request: PaintRequest) -> float:
    """The CPU time of the best of a few paintings."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        paint(request, SEED)
        times.append(1000 * (time.process_time() - began))
    return min(times)


def main() -> None:
    """Print the table, its worst row, and whether the bounds hold."""
    print("  ".join(f"{' '.join(shape):>11}" for shape in SHAPES))
    worst = [0.0] * len(SHAPES)
    for prompt in PROMPTS:
        row = [milliseconds(PaintRequest(prompt, *shape)) for shape in SHAPES]
        worst = [max(pair) for pair in zip(worst, row, strict=True)]
        print("  ".join(f"{each:11.0f}" for each in row), "", prompt)
    print("  ".join(f"{each:11.0f}" for each in worst), "", "the worst of them")
    over = [shape for shape, each in zip(SHAPES, worst, strict=True) if each > BOUNDS[shape[1]]]
    print("within 60 ms at 1K and 300 ms at 4K" if not over else f"over the bound: {over}")


if __name__ == "__main__":
    main()
