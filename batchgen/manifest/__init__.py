"""From a YAML file to jobs: parsed, checked, frozen; every problem says where. Sends nothing."""

from batchgen.manifest.load import Manifest, load
from batchgen.manifest.places import Place
from batchgen.manifest.problems import ManifestProblems, Problem
from batchgen.manifest.provider import KeyFromEnvironment, KeyFromFile, KeySource, Local, Provider, Remote
from batchgen.manifest.references import read_reference

__all__ = [
    "KeyFromEnvironment",
    "KeyFromFile",
    "KeySource",
    "Local",
    "Manifest",
    "ManifestProblems",
    "Place",
    "Problem",
    "Provider",
    "Remote",
    "load",
    "read_reference",
]
