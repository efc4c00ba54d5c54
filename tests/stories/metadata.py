"""Run alone in a network of its own: a fake metadata server, a provider that offers its addresses, and the program.

Prints one line of JSON: which of the guarded addresses were reached, and how the run ended.
"""

import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.stories.world import World, jobs

INNER = ("169.254.169.254", "10.0.0.7", "172.16.3.4", "192.168.1.1", "100.100.100.200", "168.63.129.16")
INNER_6 = ("fd00:ec2::254", "fe80::1234")
NAMES = {"metadata.example": "169.254.169.254", "inner.example": "10.0.0.7"}
OFFERS = (
    *(f"https://{address}/latest/meta-data?x" for address in INNER),
    "https://[fd00:ec2::254]/latest",
    "https://[::ffff:169.254.169.254]/latest",
    "https://2852039166/latest",
    "https://0xa9fea9fe/latest",
    "https://0251.0376.0251.0376/latest",
    "https://metadata.example/latest",
    "https://inner.example/",
    "http://169.254.169.254/latest",
)


class Provider(BaseHTTPRequestHandler):
    """Takes everything; task n is offered at the n-th inner address, or at a redirect to it."""

    taken = 0
    server: ThreadingHTTPServer

    def do_POST(self) -> None:
        """Take an order."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(202, {"task_id": f"t{Provider.taken}", "state": "waiting"})
        Provider.taken += 1

    def do_GET(self) -> None:
        """The catalogue, a task that is done, or a redirect to an inner address."""
        name = self.path.rpartition("/")[2]
        if self.path.startswith("/hop/"):
            self.send_response(302)
            self.send_header("Location", OFFERS[int(name) % len(OFFERS)])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/v1/tasks/"):
            number = int(name.removeprefix("t"))
            hop = f"http://127.0.0.1:{self.server.server_port}/hop/{number}"
            url = OFFERS[number] if number < len(OFFERS) else hop
            self._say(200, {"task_id": name, "state": "success", "result": {"data": [{"url": url}]}})
        else:
            self._say(200, {"object": "list", "data": []})

    def _say(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Stay silent."""


def guards(reached: list[str]) -> int:
    """Listen at every inner address, ports 80 and 443, and note whoever comes; returns how many listen."""
    count = 0
    for address in (*INNER, *INNER_6):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        prefix = f"{address}/{128 if ':' in address else 32}"
        nodad = ["nodad"] if ":" in address else []  # usable at once
        made = subprocess.run(["ip", "addr", "add", prefix, "dev", "lo", *nodad], check=False, capture_output=True)
        for port in (80, 443) if made.returncode == 0 else ():
            guard = socket.socket(family, socket.SOCK_STREAM)
            guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            scope = socket.if_nametoindex("lo") if address.startswith("fe80") else 0
            guard.bind((address, port, 0, scope) if ":" in address else (address, port))
            guard.listen()
            threading.Thread(target=_watch, args=(guard, f"{address} {port}", reached), daemon=True).start()
            count += 1
    return count


def _watch(guard: socket.socket, name: str, reached: list[str]) -> None:
    while True:
        connection, _ = guard.accept()
        reached.append(name)
        connection.close()


def main(root: Path) -> None:
    """Play it."""
    hosts = root / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{at} {name}\n" for name, at in NAMES.items()))
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)
    reached: list[str] = []
    listening = guards(reached)
    for name, address in NAMES.items():  # the names lead there, and the guards are awake
        assert socket.gethostbyname(name) == address
    with socket.create_connection(("169.254.169.254", 80), timeout=5):
        pass
    while not reached:
        pass
    reached.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world, offers = World(root), 2 * len(OFFERS)
    limits = {"rate": "none", "in_flight": 1, "give_up_waiting": "1s", "expert": {"polls_per_second": 100}}
    world.write(jobs=jobs(offers), provider={"base_url": f"http://127.0.0.1:{server.server_address[1]}"}, limits=limits)
    done = world.type("run", "m.yaml", "-v", XENODIA_API_KEY="k" * 20)
    kinds: Counter[str] = world.batch().kinds()
    told = {"reached": reached, "guards": listening, "code": done.code, "offers": offers, "kinds": kinds}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
