"""How pages look: colours for dark and light, type, spacing and the few parts that all pages are made of."""

from importlib.resources import files


def sheet(name: str) -> str:
    """The text of a style sheet or script that lies here, such as `base.css`."""
    return (files(__name__) / name).read_text(encoding="utf-8")
