"""A socket to a host: its addresses are tried in order, the next one when the last has failed or takes its time."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final, TypeAlias

import anyio

HEAD_START_SECONDS: Final = 0.25
"""How long an address may take before the next one is tried beside it (RFC 8305)."""

Address: TypeAlias = tuple[socket.AddressFamily, tuple[str | int, ...]]


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket that does not block; the caller limits the time and closes it.

    Raises:
        OSError: there is no such name, or no address takes the connection.
    """
    first, *others = await _addresses(host, port)
    return await _connect(first) if not others else await _race([first, *others])


async def _addresses(host: str, port: int) -> Sequence[Address]:
    """All addresses, the two families in turn."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        pass
    else:
        return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    same = [each for each in addresses if each[0] == addresses[0][0]]
    rest = [each for each in addresses if each[0] != addresses[0][0]]
    return [each for each in chain.from_iterable(zip_longest(same, rest)) if each is not None]


async def _connect(address: Address) -> socket.socket:
    family, place = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


async def _race(addresses: Sequence[Address]) -> socket.socket:
    """The first connection that is made; the others are let go."""
    won: list[socket.socket] = []
    lost: list[OSError] = []

    async def run(address: Address, over: anyio.Event) -> None:
        try:
            won.append(await _connect(address))
            group.cancel_scope.cancel()
        except OSError as error:
            lost.append(error)
        over.set()

    try:
        async with anyio.create_task_group() as group:
            for address in addresses:
                over = anyio.Event()
                group.start_soon(run, address, over)
                with anyio.move_on_after(HEAD_START_SECONDS):
                    await over.wait()
    except BaseException:
        for each in won:
            each.close()
        raise
    for each in won[1:]:
        each.close()
    if not won:
        raise lost[0]
    return won[0]
