"""The verbs with their summaries, so that help needs to import none of them."""

from typing import Final

VERBS: Final = {
    "init": "write a commented manifest to begin with",
    "plan": "say what a run would buy, and why; writes nothing",
    "run": "buy what is owed; the same command again goes on",
    "status": "counts, money, failures and the last runs",
    "view": "the batch in your browser, while it goes and afterwards",
    "report": "a page of all pictures, to judge and to keep",
    "export": "one row per picture: JSON lines, CSV or Parquet",
    "explain": "one job or picture: what it is, its life, why it waits",
    "resolve": "decide about payments in doubt",
    "verify": "hold pictures and journal against each other, and mend",
    "prune": "list pictures that are not asked for any more; remove them",
    "doctor": "what is wrong with key, network, disk, clock, versions",
    "models": "what the provider says about its models",
    "schema": "the manifest language as a JSON Schema, for editors",
    "serve": "play the provider on this machine, for nothing",
    "selftest": "prove on this machine that a crash loses nothing",
}

SECTIONS: Final = {
    "Every day": ("init", "plan", "run", "status", "view", "report", "export"),
    "Now and then": ("explain", "resolve", "verify", "prune", "models", "doctor", "schema", "serve", "selftest"),
}

UNLISTED: Final = {"validate": "what is wrong with a manifest, without asking anybody"}
"""Verbs that help does not list."""
