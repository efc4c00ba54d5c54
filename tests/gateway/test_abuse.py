"""What no client should send: 500 malformed requests over raw sockets, and the gateway goes on."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.stories.world import Gateway, gateway

COUNT = 500
WAIT_SECONDS = 2.0
"""For an answer; requests that are never finished are hung up on from this side."""

MOST_MIB = 300
POST = "POST /v1/images/generations HTTP/1.1\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in a process of its own, so that its memory can be told."""
    with gateway(tmp_path_factory.mktemp("abuse") / "gw", "--painter", "none") as running:
        yield running


Make = Callable[[random.Random, str], bytes]


def noise(chance: random.Random, _: str) -> bytes:
    return chance.randbytes(chance.randint(1, 4000))


def bad_line(chance: random.Random, head: str) -> bytes:
    lines = [
        "GET",
        "GET  /healthz",
        "get /healthz HTTP/1.1",
        "GET /healthz HTTP/9.9",
        "GET /healthz HTTP/",
        "\x00 / HTTP/1.1",
    ]
    lines += [
        "GET http://[::1 HTTP/1.1",
        "G" * 9000 + " / HTTP/1.1",
        "GET /\x7f\xff HTTP/1.1",
        "GET / HTTP/1.1 HTTP/1.1",
    ]
    return f"{chance.choice(lines)}\r\n{head}\r\n".encode("latin-1")


def giant_head(chance: random.Random, head: str) -> bytes:
    size = chance.choice([20_000, 70_000, 400_000])
    return f"GET /v1/models HTTP/1.1\r\n{head}X-Long: {'a' * size}\r\n\r\n".encode()


def many_heads(chance: random.Random, head: str) -> bytes:
    flood = "".join(f"X-{number}: {chance.random()}\r\n" for number in range(chance.choice([200, 5000])))
    return f"GET /v1/models HTTP/1.1\r\n{head}{flood}\r\n".encode()


def bad_head(chance: random.Random, head: str) -> bytes:
    lines = [
        "no colon",
        ": nothing",
        "X Y: 1",
        "X\x00: 1",
        "X: a\x00b",
        "X: a\rb",
        "Host: other",
        " folded: 1",
        "X:\x01",
    ]
    lines += ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked, chunked", "Expect: 100-continue\r\nExpect: x"]
    return f"{POST}{head}{chance.choice(lines)}\r\n\r\n".encode("latin-1")


def bad_length(chance: random.Random, head: str) -> bytes:
    length = chance.choice(
        ["-1", "-9" * 9, "9" * 40, "0x10", "1e3", " ", "1, 2", "+5", "99999999999", "3\r\nContent-Length: 4"]
    )
    return f"{POST}{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{}}".encode()


def bad_chunks(chance: random.Random, head: str) -> bytes:
    chunks = [
        "zz\r\n{}\r\n",
        "-1\r\n",
        "ffffffffffffffffff\r\n{}",
        "2\r\n{}XX\r\n0\r\n\r\n",
        "2;" + "e" * 30_000,
        "2\n{}\n0\n\n",
    ]
    chunks += ["1" * 5000 + "\r\n", "2\r\n{}\r\n0\r\nX: \x00\r\n\r\n"]
    kind = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return f"{POST}{head}{kind}{chance.choice(chunks)}".encode("latin-1")


def bad_body(chance: random.Random, head: str) -> bytes:
    bodies = [
        b"\x00" * 50,
        b"{" * 5000,
        b'{"model":' * 900,
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"prompt": 1e999}',
        b"\xff\xfe{}",
    ]
    body = chance.choice(bodies)
    return f"{POST}{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def bad_form(chance: random.Random, head: str) -> bytes:
    bodies = [
        "--b\r\n\r\n",
        '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        "--b--",
        "no form at all",
        "--b\r\n" * 3000,
    ]
    bodies += ['--b\r\nContent-Disposition: form-data; name="image"; filename="../../x"\r\n\r\n\x00\r\n--b--\r\n']
    body, mark = chance.choice(bodies), chance.choice(["b", "", "\x00", "b" * 5000])
    kind = f"Content-Type: multipart/form-data; boundary={mark}\r\nContent-Length: {len(body)}\r\n\r\n"
    return f"{POST}{head}{kind}{body}".encode("latin-1")


def odd_path(chance: random.Random, head: str) -> bytes:
    paths = [
        "/v1/tasks/%00",
        "/v1/tasks/..%2f..%2fetc",
        "/files/../gateway.db",
        "/files/%2e%2e/credential",
        "//",
        "/v1/tasks/" + "x" * 7000,
    ]
    paths += [
        "/files/a?expires=nan&signature=%ff",
        "/files/a?expires=" + "9" * 400,
        "/v1/tasks/%ed%a0%80",
        "*",
        "/?%zz",
    ]
    return f"GET {chance.choice(paths)} HTTP/1.1\r\n{head}\r\n".encode("latin-1")


def unfinished(chance: random.Random, head: str) -> bytes:
    whole = f"{POST}{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{".encode()
    return whole[: chance.randint(1, len(whole))]


def pipelined(chance: random.Random, head: str) -> bytes:
    return (f"GET /v1/models HTTP/1.1\r\n{head}\r\n" * chance.randint(2, 40)).encode() + b"\x16\x03\x01"


MAKERS: tuple[Make, ...] = (
    noise, bad_line, giant_head, many_heads, bad_head, bad_length, bad_chunks, bad_body, bad_form, odd_path, unfinished,
    pipelined,
)  # fmt: skip


def answered(address: tuple[str, int], request: bytes) -> bytes:
    """All that comes back; nothing when the connection is hung up on."""
    answer = b""
    with socket.create_connection(address, WAIT_SECONDS) as line:
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            while part := line.recv(65536):
                answer += part
        except OSError:  # reset, or silent for too long: neither is an answer
            pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of every answer on a connection."""
    lines = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    return [int(line.split()[1]) for line in lines]


def test_500_malformed_requests(server: Gateway) -> None:
    """Of 500 malformed requests none is answered by 5xx, memory stays under 300 MiB, nothing is sold, and it lives."""
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    assert parts.port is not None
    address = (parts.hostname, parts.port)
    found: list[list[int]] = []

    def abuse(share: int) -> None:
        chance = random.Random(share)
        head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {server.key}\r\n"
        numbers = range(share, COUNT, 8)
        found.extend(statuses(answered(address, MAKERS[number % len(MAKERS)](chance, head))) for number in numbers)

    threads = [threading.Thread(target=abuse, args=(share,)) for share in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == COUNT
    flat = [status for each in found for status in each]
    assert max(flat) < 500
    assert flat.count(200) > 40  # the good requests before a bad one were answered
    assert sum(400 <= status < 500 for status in flat) > 150
    assert psutil.Process(server.process.pid).memory_info().rss < MOST_MIB * 2**20
    assert server.paid() == []
    assert b"200 OK" in answered(address, f"GET /healthz HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())


def test_two_hundred_slow_heads_do_not_shut_others_out(server: Gateway) -> None:
    """While 200 connections hold back the end of their heads, another one is answered at once."""
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    assert parts.port is not None
    address = (parts.hostname, parts.port)
    lines = [socket.create_connection(address, WAIT_SECONDS) for _ in range(200)]
    try:
        for line in lines:
            line.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert b"200 OK" in answered(address, f"GET /healthz HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    finally:
        for line in lines:
            line.close()
