"""All benchmarks: `python -m tests.benchmarks [--only NAME] [--quick] [--repeat N] [--json FILE]`."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.goals import BENCHMARKS, Goal, Size, versions

FLOORS = {"G1": 0.6, "G2": 4.0, "G3": 4.5, "G4": 1.5, "G8 kB": 16.0, "G13": 8.0, "G13 status": 25.0}
"""What --quick fails at where a goal is not met today; elsewhere at twice the goal: CI machines are busy and odd."""
LONG = {"tls", "crowded"}
"""What --quick leaves out unless it is named."""


def table(goals: list[Goal]) -> str:
    """The figures in Markdown."""
    lines = ["| # | figure | goal | seen | ± | met |", "|---|---|---|---|---|---|"]
    for each in goals:
        met = "yes" if each.met else "no"
        clock = " (wall)" if each.wall else ""
        lines.append(
            f"| {each.name} | {each.what}{clock} | <= {each.most:.3g} | {each.figure:.3g} | {each.spread:.2g} | {met} |"
        )
    return "\n".join(lines)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="this one; may be given again")
    parser.add_argument("--quick", action="store_true", help="two minutes; exit 1 only when far from a goal")
    parser.add_argument("--repeat", type=int, metavar="N", help="rounds (5, or 3 with --quick)")
    parser.add_argument("--json", metavar="FILE", help="write the figures here, too")
    return parser.parse_args()


def _floor(goal: Goal) -> float:
    return FLOORS.get(goal.name.removesuffix(" TLS"), 2 * goal.most)


def main() -> int:
    """Measure, print, and say whether the floors hold."""
    given = options()

    def told(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    size = Size(
        rounds=given.repeat or (3 if given.quick else 5),
        jobs=800 if given.quick else 2_000,
        rows=20_000 if given.quick else 1_000_000,
        quick=given.quick,
        told=told,
    )
    tools, goals = versions(), list[Goal]()
    for name in given.only or [each for each in BENCHMARKS if not (given.quick and each in LONG)]:
        told(name)
        goals += BENCHMARKS[name](size)
    print(table(goals))
    print("\n" + ", ".join(f"{name} {value}" for name, value in tools.items()))
    if given.json:
        Path(given.json).write_text(json.dumps({"versions": tools, "goals": [asdict(g) for g in goals]}, indent=1))
    far = [each for each in goals if not each.wall and each.broken(_floor(each))] if given.quick else []
    for each in far:
        told(f"{each.name} is far from its goal: {each.figure:.3g} where {each.most:.3g} is the goal")
    return 1 if far else 0


if __name__ == "__main__":
    raise SystemExit(main())
