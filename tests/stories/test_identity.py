"""What may be edited without buying a picture again, each counted at the gateway."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stories.world import Done, Gateway, World, at, gateway

TABLE = "sku,title,colour,notes\n001,boot,red,x\n002,scarf,blue,y\n003,hat,green,z\n"
PROMPT = "A {{ colour }} {{ title }}\non a white desk\n"


class Shop:
    """A catalogue of three rows, bought once."""

    def __init__(self, root: Path, server: Gateway) -> None:
        self.world, self.server = World(root), server
        self.keys: dict[str, Any] = {
            "name": "story",
            "rows": {"from": "t.csv", "id": "{{ sku }}"},
            "prompts": {"packshot": {"file": "p.txt"}},
            "models": {"draft": {"model": "nano-banana-pro", "output_format": "jpg"}},
            "references": ["https://cdn.batchgen.invalid/a.png?w=1&X-Amz-Signature=one"],
            **at(server),
        }
        (root / "t.csv").write_text(TABLE)
        (root / "p.txt").write_text(PROMPT)
        self.save()
        assert self.run().code == 0
        assert self.bought() == 3

    def save(self, text: str | None = None) -> None:
        """Write the manifest; a `name` is in the keys."""
        whole = {"batchgen": 1, **self.keys}
        (self.world.root / "m.yaml").write_text(text or json.dumps(whole, indent=1))

    def run(self, *words: str, cwd: Path | None = None, manifest: Path | None = None) -> Done:
        """Run unattended under a cap that would allow everything."""
        named = str(manifest or self.world.root / "m.yaml")
        return self.world.type(
            "run", named, "--max-pictures", "99", "--max-usd", "99", *words, cwd=cwd, XENODIA_API_KEY=self.server.key
        )

    def bought(self) -> int:
        """How many tasks were paid for, ever."""
        return len(self.server.paid())


def another_working_directory(shop: Shop) -> Done:
    """The working directory plays no part."""
    elsewhere = shop.world.root / "elsewhere"
    elsewhere.mkdir()
    return shop.run(cwd=elsewhere)


def another_name(shop: Shop) -> Done:
    """A renamed batch is refused with the command that mends it, and goes on once that is done."""
    shop.keys["name"] = "winter"
    shop.save()
    refused = shop.run()
    assert refused.code == 2, refused.text
    assert f"mv {shop.world.root}/outputs/story {shop.world.root}/outputs/winter" in refused.text
    (shop.world.root / "outputs/story").rename(shop.world.root / "outputs/winter")
    return shop.run()


def another_volume(shop: Shop) -> Done:
    """Everything copied to another place."""
    moved = shop.world.root / "volume"
    moved.mkdir()
    for name in ("m.yaml", "t.csv", "p.txt", "outputs"):
        shutil.move(shop.world.root / name, moved / name)
    return shop.run(manifest=moved / "m.yaml")


def another_word_in_the_prompt(shop: Shop) -> Done:
    """Changed pictures are kept until a person says otherwise."""
    (shop.world.root / "p.txt").write_text(PROMPT.replace("white", "black"))
    return shop.run()


def another_signature(shop: Shop) -> Done:
    """A signed URL is known without its signature."""
    shop.keys["references"] = ["https://cdn.batchgen.invalid/a.png?w=1&X-Amz-Signature=two"]
    shop.save()
    return shop.run()


def other_line_ends_in_the_prompt(shop: Shop) -> Done:
    """CRLF and LF are one prompt."""
    (shop.world.root / "p.txt").write_bytes(PROMPT.replace("\n", "\r\n").encode())
    return shop.run()


def another_order_of_keys(shop: Shop) -> Done:
    """Keys have no order."""
    shop.keys = dict(reversed(shop.keys.items()))
    shop.save()
    return shop.run()


def a_comment(shop: Shop) -> Done:
    """A comment is nothing."""
    shop.save("# buy nothing\n" + (shop.world.root / "m.yaml").read_text())
    return shop.run()


def an_unused_column(shop: Shop) -> Done:
    """A cell that no template reads."""
    (shop.world.root / "t.csv").write_text(TABLE.replace(",y\n", ",changed\n"))
    return shop.run()


def another_order_of_rows(shop: Shop) -> Done:
    """Rows have no order."""
    head, *rows = TABLE.splitlines()
    (shop.world.root / "t.csv").write_text("\n".join([head, *reversed(rows)]) + "\n")
    return shop.run()


def another_output_path(shop: Shop) -> Done:
    """Pictures move, and are not bought."""
    shop.keys["output"] = {"path": "{{ colour }}/{{ sku }}.{{ ext }}"}
    shop.save()
    done = shop.run()
    assert shop.world.batch().whole() == {"red/001.jpg", "blue/002.jpg", "green/003.jpg"}
    return done


def other_limits(shop: Shop) -> Done:
    """Limits, failures and the budget are not bought."""
    shop.keys["limits"] = {**shop.keys["limits"], "in_flight": 3}
    shop.keys["failures"] = {"attempts": 5}
    shop.keys["budget"] = {"prices": {"nano-banana-pro": 0.5}}
    shop.save()
    return shop.run()


def other_line_ends_in_the_table(shop: Shop) -> Done:
    """A table saved on another system."""
    (shop.world.root / "t.csv").write_bytes(TABLE.replace("\n", "\r\n").encode("utf-8-sig"))
    return shop.run()


def a_default_written_out(shop: Shop) -> Done:
    """What is built in, said aloud."""
    shop.keys["defaults"] = {"aspect_ratio": "1:1", "resolution": "1K"}
    shop.save()
    return shop.run()


EDITS = [
    another_working_directory,
    another_name,
    another_volume,
    another_word_in_the_prompt,
    another_signature,
    other_line_ends_in_the_prompt,
    another_order_of_keys,
    a_comment,
    an_unused_column,
    another_order_of_rows,
    another_output_path,
    other_limits,
    other_line_ends_in_the_table,
    a_default_written_out,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_that_buys_nothing(edit: Callable[[Shop], Done], tmp_path: Path) -> None:
    """Run unattended with a cap that allows everything: not one POST."""
    with gateway(tmp_path / "gw") as server:
        shop = Shop(tmp_path / "shop", server)
        done = edit(shop)
        assert done.code == 0, done.text
        assert shop.bought() == 3


def test_redo_changed_buys_exactly_what_changed(tmp_path: Path) -> None:
    """One used cell is one picture, a word of the prompt all of them; the replaced ones are kept; back is free."""
    with gateway(tmp_path / "gw") as server:
        shop = Shop(tmp_path / "shop", server)
        (shop.world.root / "t.csv").write_text(TABLE.replace("scarf", "shawl"))
        assert shop.run("--redo", "changed").code == 0
        assert shop.bought() == 4
        folder = shop.world.root / "outputs/story"
        assert (folder / "002/packshot/draft.was-1.jpg").exists()
        assert shop.run("--redo", "changed").code == 0
        assert shop.bought() == 4
        (shop.world.root / "p.txt").write_text(PROMPT.replace("white", "black"))
        assert shop.run("--redo", "changed").code == 0
        assert shop.bought() == 7
        before = (folder / "001/packshot/draft.was-1.jpg").read_bytes()
        (shop.world.root / "p.txt").write_text(PROMPT)
        assert shop.run().code == 0
        assert shop.bought() == 7
        assert (folder / "001/packshot/draft.jpg").read_bytes() == before


def test_only_and_sample_choose_what_is_bought(tmp_path: Path) -> None:
    """A condition, a glob and a sample buy their jobs and no other; the code speaks of those; the rest comes later."""
    with gateway(tmp_path / "gw") as server:
        shop = Shop(tmp_path / "shop", server)
        (shop.world.root / "t.csv").write_text(TABLE + "004,sock,red,x\n005,belt,blue,y\n006,coat,red,z\n")
        assert shop.run("--only", "colour == 'red' and title != 'coat'").code == 0
        assert shop.bought() == 4
        assert shop.run("--only", "005*").code == 0
        assert shop.bought() == 5
        assert shop.run("--sample", "6").code == 0
        assert shop.bought() == 6


def test_the_input_row_is_exported(tmp_path: Path) -> None:
    """A row of the export carries the cells as written, without the table being there."""
    with gateway(tmp_path / "gw") as server:
        shop = Shop(tmp_path / "shop", server)
        (shop.world.root / "t.csv").unlink()
        said = shop.world.type("export", str(shop.world.root / "outputs/story"), "-o", "-")
        first = json.loads(said.out.splitlines()[0])
        assert first["row"] == {"sku": "001", "title": "boot", "colour": "red", "notes": "x"}
        assert first["axes"] == {"prompt": "packshot", "model": "draft"}


def test_a_plan_on_paper_is_held_to(tmp_path: Path) -> None:
    """A run of a plan buys what it says, and nothing once anything moved, which it names."""
    with gateway(tmp_path / "gw") as server:
        shop = Shop(tmp_path / "shop", server)
        (shop.world.root / "t.csv").write_text(TABLE + "004,sock,red,x\n")
        paper = str(shop.world.root / "plan.json")
        assert shop.world.type("plan", "m.yaml", "-o", paper).code == 0
        (shop.world.root / "t.csv").write_text(TABLE + "004,sock,blue,x\n")
        refused = shop.run("--plan", paper)
        assert refused.code == 2, refused.text
        assert "t.csv" in refused.text
        (shop.world.root / "t.csv").write_text(TABLE + "004,sock,red,x\n")
        assert shop.run("--plan", paper).code == 0
        assert shop.bought() == 4
