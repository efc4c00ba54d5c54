"""The verbs with their summaries, so that help needs to import none of them."""

from typing import Final

VERBS: Final = {
    "init": "write a commented manifest to begin with",
    "plan": "say what a run would buy, and why; writes nothing",
    "run": "buy what is owed; the same command again goes on",
    "status": "counts, money, failures and the last runs",
    "export": "one row per picture, as JSON lines",
    "resolve": "decide about payments in doubt",
    "models": "what the provider says about its models",
    "schema": "the manifest language as a JSON Schema, for editors",
    "serve": "play the provider on this machine, for nothing",
}

SECTIONS: Final = {
    "Every day": ("init", "plan", "run", "status", "export"),
    "Now and then": ("resolve", "models", "schema", "serve"),
}

LATER: Final = frozenset({"report", "view", "explain", "verify", "prune", "doctor", "selftest", "validate"})
"""Verbs of later releases: known by name, so that they are answered and not guessed at."""

_CHOICE: Final = ("--redo", "--only", "--sample", "--rows", "--plan", "--max-usd", "--deadline", "--dask")
_PLACE: Final = ("--store", "--root")

LATER_OPTIONS: Final = {
    "plan": (*_CHOICE, *_PLACE, "-o"),
    "run": (*_CHOICE, *_PLACE),
    "status": (*_PLACE, "--format"),
    "export": (*_PLACE, "--run", "--base-url", "--wide"),
    "resolve": _PLACE,
    "serve": ("--faults",),
}
"""Options of later releases by verb: refused in words, never passed over in silence."""
