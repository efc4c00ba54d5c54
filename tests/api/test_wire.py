"""Bodies and paths: deterministic, readable by an independent parser, and silent about local names."""

import json
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchgen.api import wire
from batchgen.errors import Parked
from batchgen.job import FileReference, Job, Reference, Request, UrlReference, fingerprint

texts = st.text(st.characters(exclude_categories=()), min_size=1, max_size=60)


def job_of(*references: Reference, model: str = "nano-banana-pro", prompt: str = "a cup") -> Job:
    request = Request(model, prompt, references=references)
    return Job(7, "cups/one", fingerprint(request), 1, request, "cups/one")


def parse(content_type: str, body: bytes) -> list[Message]:
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    payload: Any = message.get_payload()
    return list(payload)


def names(parts: list[Message]) -> list[Any]:
    return [part.get_param("name", header="content-disposition") for part in parts]


def test_a_job_without_files_is_sent_as_json() -> None:
    """A create without files is one JSON object: the effective fields, one picture, as a task, by URL."""
    sent = wire.order(job_of(UrlReference("https://a.example/x.png")), "bg-token", files={}, urls={})
    assert sent.content_type == "application/json"
    assert (sent.token, sent.model) == ("bg-token", "nano-banana-pro")
    assert json.loads(sent.body) == {
        "model": "nano-banana-pro",
        "prompt": "a cup",
        "aspect_ratio": "1:1",
        "resolution": "1K",
        "output_format": "png",
        "n": 1,
        "async": True,
        "response_format": "url",
        "image_input": ["https://a.example/x.png"],
    }


def test_files_go_as_multipart_urls_first() -> None:
    """A create with files is multipart: scalars as text, every URL, then every file with its type and no local name."""
    reference = FileReference("secret/shoe.png", "0" * 64, 4, "image/png")
    job = job_of(UrlReference("https://a.example/1"), reference, UrlReference("https://a.example/2"))
    sent = wire.order(job, "bg-token", files={"secret/shoe.png": b"\x89P\r\n--x"}, urls={})
    parts = parse(sent.content_type, sent.body)
    assert names(parts)[-3:] == ["image_input[]", "image_input[]", "image[]"]
    by_name = dict(zip(names(parts), parts, strict=True))
    assert names(parts)[:5] == ["model", "prompt", "aspect_ratio", "resolution", "output_format"]
    assert by_name["async"].get_payload() == "true"
    assert by_name["n"].get_payload() == "1"
    assert by_name["image[]"].get_content_type() == "image/png"
    assert by_name["image[]"].get_filename() == "reference-1.png"
    assert b"\r\n\r\n\x89P\r\n--x\r\n--" in sent.body
    assert b"shoe" not in sent.body


def test_a_signed_reference_takes_its_whole_url() -> None:
    """A reference whose signature is not stored is sent with the URL of the manifest, or the job is parked."""
    job = job_of(UrlReference("https://a.example/x", signed=True))
    whole = {"https://a.example/x": "https://a.example/x?sig=abc"}
    assert json.loads(wire.order(job, "t", files={}, urls=whole).body)["image_input"] == ["https://a.example/x?sig=abc"]
    with pytest.raises(Parked, match="cups/one"):
        wire.order(job, "t", files={}, urls={})


def test_unset_and_unknown_fields_are_not_sent() -> None:
    """Only fields of the API with a value are sent."""
    _, body = wire.encode_create({"model": "m", "prompt": "p", "channel_id": None, "seed": 3}, [], [], "t")
    assert set(json.loads(body)) == {"model", "prompt", "n", "async", "response_format"}


def test_the_boundary_never_stands_in_the_contents() -> None:
    """A file that contains the first boundary gets another one, again derived from the token."""
    content_type, _ = wire.encode_create({}, [], [wire.Part("image/png", b"")], "t")
    first = content_type.rpartition("=")[2].encode()
    content_type, body = wire.encode_create({}, [], [wire.Part("image/png", b"\r\n--" + first)], "t")
    second = content_type.rpartition("=")[2].encode()
    assert second != first
    assert body.count(second) == len(wire.FIXED) + 2
    assert wire.encode_create({}, [], [wire.Part("image/png", b"\r\n--" + first)], "t") == (content_type, body)


@given(prompt=texts, with_file=st.booleans(), token=st.text("abc-", min_size=1))
def test_any_prompt_arrives(prompt: str, with_file: bool, token: str) -> None:
    """Every text a prompt can be arrives unchanged but for lone surrogates, in JSON and in forms alike."""
    files = [wire.Part("image/webp", b"RIFF")] if with_file else []
    content_type, body = wire.encode_create({"model": "m", "prompt": prompt}, [], files, token)
    wanted = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in prompt)
    if with_file:
        heading = b'name="prompt"\r\n\r\n'
        start = body.index(heading) + len(heading)
        assert body[start : body.index(b"\r\n--batchgen-", start)].decode() == wanted
    else:
        assert json.loads(body)["prompt"] == wanted
    assert wire.encode_create({"prompt": prompt, "model": "m"}, [], files, token) == (content_type, body)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_a_task_id_stays_one_path_segment(task_id: str) -> None:
    """Whatever the id, its path is one segment below the tasks and reads back as the id."""
    path = wire.task_path(task_id)
    assert urlsplit("https://api.example" + path).path == path
    head, _, last = path.rpartition("/")
    assert head + "/" == wire.TASKS
    assert last not in {".", ".."}
    assert unquote(last) == task_id


def test_the_end_words_are_told_apart() -> None:
    """The five words of the API fall into running, succeeded and failed, and no alias is in two sets."""
    assert wire.SUCCEEDED & set(wire.STATES) == {"success"}
    assert wire.FAILED & set(wire.STATES) == {"fail"}
    assert not wire.SUCCEEDED & wire.FAILED
