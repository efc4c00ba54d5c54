"""The browser of whoever sits here, if there is one."""

import sys
import threading
from collections.abc import Mapping
from typing import Final

from batchgen.cli.console import Console

_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def has_screen(environment: Mapping[str, str]) -> bool:
    """Whether a browser could be seen here, by a person who typed this."""
    shown = sys.platform == "darwin" or any(environment.get(name) for name in _SCREENS)
    return shown and sys.stdout.isatty()


def show(address: str, speaker: Console) -> None:
    """Open a page; without a browser the address that was said before must do. Some browsers block until closed."""
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        speaker.say(f"no browser could be started here; open {address} in one")


def show_beside(address: str, speaker: Console) -> None:
    """The same for a page that this very process serves, and must go on serving."""
    threading.Thread(target=show, args=(address, speaker), name="browser", daemon=True).start()
