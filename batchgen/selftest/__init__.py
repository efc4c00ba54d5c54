"""The crash explorer: a small batch dies at every call in every way, is run again, and nothing may be lost.

Every life is a process of its own, forked, against the built-in gateway on a loopback address; nothing is bought and
nothing outside a temporary folder is touched. What is judged, and how, stands in batchgen.selftest.checker.
"""

from batchgen.selftest.explorer import Options, Outcome, explore

__all__ = ["Options", "Outcome", "explore"]
