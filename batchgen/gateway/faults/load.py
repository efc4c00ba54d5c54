"""Finds the script of a rehearsal: the built-in storm, or a file."""

import os
from typing import Final

from batchgen.gateway.faults import Script
from batchgen.gateway.faults.schema import FaultsFile
from batchgen.gateway.yaml_file import load_yaml

STORM: Final = "storm"
"""The name of the mix that comes with the program."""


def load(name: str) -> Script:
    """The script of a file, or of the built-in `storm`.

    Raises:
        SettingsError: it cannot be read or says something that cannot be played, with the place.
    """
    path = os.path.join(os.path.dirname(__file__), "storm.yaml") if name == STORM else name
    return load_yaml(path, FaultsFile).script()
