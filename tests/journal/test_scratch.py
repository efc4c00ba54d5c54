"""A whole expansion on the disk."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.job import Draft, FileReference, InputRow, Request, UrlReference, draft
from batchgen.journal.scratch import Item, Scratch


def item(job_id: str, path: str = "", prompt: str = "p", **fields: str) -> Item:
    """A draft on its way."""
    path = path or job_id
    folders = tuple(path[: at + 4] for at in range(len(path)) if path[at : at + 5] == ".png/")
    return Item(draft(job_id, Request("m", prompt, **fields), path), 7, path.casefold(), folders)  # type: ignore[arg-type]


def filled(*items: Item) -> Scratch:
    """A scratch of these."""
    scratch = Scratch()
    scratch.fill(items)
    return scratch


def test_drafts_come_back_as_they_went() -> None:
    """In order, with references, input rows and axes, and the origin that came with them."""
    row = InputRow(2, "r", {"b": "1", "a": "\u00e4"})
    request = Request(
        "m",
        "p",
        references=(UrlReference("https://x.test/a", signed=True), FileReference("a", "b" * 64, 3, "image/png")),
    )
    one = replace(draft("z", request, "p/z"), row=row, axes={"view": "front"})
    two = replace(draft("a", Request("m", "q"), "a"), row=row)
    with filled(Item(one, 3, "p/z", (), row, {"view": "front"}), Item(two, 4, "a", (), row), item("x")) as scratch:
        assert (list(scratch), len(scratch)) == ([one, two, draft("x", Request("m", "p"), "x")], 3)
        found = scratch.at(0)
        assert found.origin == 3
        assert found.draft.row is not None
        assert (found.draft.row.number, found.draft.row.id, list(found.draft.row.cells.items())) == (
            2,
            "r",
            [("b", "1"), ("a", "\u00e4")],
        )
        assert found.draft.axes == {"view": "front"}
        assert [each.row and each.row.id for each in scratch] == ["r", "r", None]
        assert len(list(scratch.rows())) == 1
        assert scratch.named("a") is not None
        assert scratch.named("b") is None


def test_what_decides_price_and_rules_is_one_shape() -> None:
    """Prompts and bytes do not matter to it, any field does, and so do a missing prompt and the size of a reference."""
    small, large = (FileReference(name, "c" * 64, size, "image/png") for name, size in (("a", 5), ("b", 3 << 20)))
    requests = [
        Request("m", "p"), Request("m", "q"), Request("m", " "), Request("m", "p", resolution="2K"),
        Request("m", "p", references=(small,)), Request("m", "p", references=(replace(small, path="z"),)),
        Request("m", "p", references=(large,)), Request("m", "p", take=2),
    ]  # fmt: skip
    with filled(*(Item(draft(str(n), each, str(n)), 0, str(n)) for n, each in enumerate(requests))) as scratch:
        assert scratch.by_shape() == {0: 3, 1: 1, 2: 1, 3: 2, 4: 1}
        assert [each.prompt for each in scratch.shapes] == ["a prompt", "", "a prompt", "a prompt", "a prompt"]
        assert [each.draft.id for each in scratch.of_shape(0, 2)] == ["0", "1"]


def test_what_cannot_stand_together() -> None:
    """Ids that come twice, paths that are one file on some file system, files in the place of folders."""
    with filled(
        item("a"), item("b"), item("a"), item("A"), item("c", "d/x"), item("e", "D/X"), item("f", "b.png/y")
    ) as scratch:
        assert scratch.same_ids(9) == [(2, 0)]
        assert scratch.same_paths(9) == [(3, 0), (5, 4)]
        assert scratch.files_in_the_way(9) == []
    with filled(Item(draft("b", Request("m", "p"), "b.png/y"), 0, "b.png/y", ("b",)), item("B", "B")) as scratch:
        assert scratch.files_in_the_way(9) == [(0, 1)]


def test_signatures_are_kept_apart() -> None:
    """A URL is given back with its signature, and only one that had one."""
    with Scratch() as scratch:
        scratch.sign([("https://x.test/a", "https://x.test/a?sig=1")])
        assert scratch.signed("https://x.test/a") == "https://x.test/a?sig=1"
        assert scratch.signed("https://x.test/b") is None


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["a", "A", "b", "b/c"]), st.sampled_from(["x", "X", "y"])), max_size=8))
def test_collisions_are_all_found(named: list[tuple[str, str]]) -> None:
    """Every later draft of one id, and every later draft of another id whose path has the key of an earlier first."""
    drafts: list[Draft] = [draft(job_id, Request("m", "p"), path) for job_id, path in named]
    with filled(*(Item(each, 0, each.path.casefold()) for each in drafts)) as scratch:
        ids = [each.id for each in drafts]
        keys = [each.path.casefold() for each in drafts]
        assert scratch.same_ids(99) == [(n, ids.index(i)) for n, i in enumerate(ids) if ids.index(i) < n]
        first = {key: keys.index(key) for key in keys}
        assert scratch.same_paths(99) == [(n, first[k]) for n, k in enumerate(keys) if ids[n] != ids[first[k]]]
