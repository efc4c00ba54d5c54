"""Where pictures go."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchgen.manifest.desk import Filing
from batchgen.manifest.names import job_id
from batchgen.manifest.paths import COMPONENT, filed, key, safe, template
from batchgen.manifest.template import compile_template

TEXT = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=250)
NASTY = st.text(
    alphabet=st.sampled_from('ab./\\ ~-:*?<>|"\x00\x1f\u202e\u200b\u0301\u00e9conCON1\u00b9'), min_size=1, max_size=30
)


def _is_id(text: str) -> bool:
    try:
        return bool(job_id(text))
    except ValueError:
        return False


@given(TEXT | NASTY)
@example("con.txt")
@example("LPT\u00b9")
@example("..")
@example(" . ")
@example("CON .x")
def test_every_part_is_safe_everywhere(text: str) -> None:
    """Whatever a part says, it is a usable name on Linux, macOS and Windows and at most COMPONENT bytes."""
    name = safe(text.replace("/", "_"))
    assert 0 < len(name.encode()) <= COMPONENT
    assert name not in {".", ".."}
    assert not set(name) & set('<>:"|?*\\/')
    assert name[-1] not in ". "
    assert name[0] not in "-~ "
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp"} for char in name)
    assert not PureWindowsPath(name).is_reserved()
    assert unicodedata.is_normalized("NFC", name)
    assert safe(text.replace("/", "_")) == name


@pytest.mark.parametrize(
    "device", ["con", "PRN", "Aux", "nul", "COM1", "lpt9", "com\u00b9", "LPT\u00b3", "conin$", "CON.a.b", "nul .x"]
)
def test_devices_are_not_named(device: str) -> None:
    """A name that Windows takes for a device gets an underscore in front, with an extension or not."""
    assert safe(device) == "_" + device


@pytest.mark.parametrize("name", ["console", "com", "com10", "auxiliary", "a.con", "lpt0"])
def test_what_is_no_device_keeps_its_name(name: str) -> None:
    """Only the devices' own names are changed."""
    assert safe(name) == name


def test_long_parts_are_cut_and_told_apart() -> None:
    """Parts that begin alike keep different names, cut between characters."""
    one, other = safe("\u00e9" * 150 + "x"), safe("\u00e9" * 150 + "y")
    assert one != other
    assert one[:-9] == other[:-9] == "\u00e9" * 95
    assert safe("a" * COMPONENT) == "a" * COMPONENT


def filled(text: str, **values: str) -> str:
    """The path that a template of `output.path` makes of these values."""
    compiled = compile_template(template(text).text, {"id", "prompt", "model", "title"})
    row = {"title": values.pop("title")} if "title" in values else {}
    return Filing(compiled).path(values["id"], {**values, **row}, row)


@given(NASTY.filter(_is_id))
def test_an_id_never_leaves_the_folder(text: str) -> None:
    """A path made from any id is relative, has no `..`, and has as many parts as the id."""
    path = filled("a/{{ id }}.{{ ext }}", id=text)
    parts = PurePosixPath(path).parts
    assert len(parts) == 2 + text.count("/")
    assert not PurePosixPath(path).is_absolute()
    assert ".." not in parts


def test_fields_are_filled_in() -> None:
    """Names take their values; a slash in anything but an id makes no folder."""
    assert filled("x/{{ prompt }}-{{model}}/{{ id }}.{{ext}}", id="a/b", prompt="p/q", model="g/n") == "x/p_q-g_n/a/b"
    assert filled("{{ id[:2] }}/{{ row['title'] | lower }}.{{ ext }}", id="abc", title="A/B") == "ab/a_b"


@pytest.mark.parametrize("name", ["con", "a/nul.txt", "x/com1/y", "-a", "~", "a.", "a b ", "a//b"])
def test_the_quick_way_is_the_careful_one(name: str) -> None:
    """Ids that look harmless and are not are made so."""
    if "//" in name:
        with pytest.raises(ValueError, match="empty part"):
            filed(name)
    else:
        assert filed(name) == "/".join(map(safe, name.split("/")))


@given(st.from_regex(r"[A-Za-z0-9_.\-]{1,12}(/[A-Za-z0-9_.\-]{1,12}){0,2}", fullmatch=True))
def test_harmless_ids_go_where_careful_ones_do(text: str) -> None:
    """The quick way for plain ids never differs from the one that looks at every character."""
    try:
        assert filed(text) == "/".join(map(safe, text.split("/")))
    except ValueError as error:
        assert "one of batchgen's own" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "name", [".batchgen", ".BatchGen/x", "a/.batchgen.old", "report_files", "REPORT_FILES/a", "report.json/a"]
)
def test_own_names_are_reserved(name: str) -> None:
    """No picture goes where batchgen keeps its journal and reports."""
    with pytest.raises(ValueError, match="one of batchgen's own"):
        filled("{{ id }}.{{ ext }}", id=name)


def test_report_is_an_ordinary_name() -> None:
    """`report.png` is no file of batchgen's."""
    assert filled("{{ id }}.{{ ext }}", id="report") == "report"


def test_paths_have_an_end() -> None:
    """A path longer than any file system takes is refused."""
    with pytest.raises(ValueError, match="1024 bytes"):
        filled("{{ id }}/" * 8 + "{{ id }}.{{ ext }}", id="a" * 199)


def test_keys_see_what_file_systems_confuse() -> None:
    """Case and Unicode composition do not tell two files apart."""
    assert key("\u00c9/STRASSE") == key("e\u0301/stra\u00dfe")
    assert key("a") != key("b")
