"""A TCP proxy before the database's unix socket, with a door for each client to hurt it alone.

Doors are ports of 127.0.0.1. What is done to one: its connections are cut, swallow everything,
are slow, or lose the answer to a COMMIT. The proxy runs in a thread of its own.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos.plan import EVERYONE, PULSE_DOOR
from tests.chaos.wire import COMMITTED, IN_TRANSACTION, Requests

Tell = Callable[[str], None]
_PIECE = 1 << 16
_ANSWER_SECONDS = 60.0


class Door:
    """One client's way in."""

    def __init__(self, name: str, target: Path, told: Callable[[str], None]) -> None:
        self.name = name
        self.port = 0
        self.delay = 0.0
        self.open = asyncio.Event()  # not set: everything is swallowed
        self.open.set()
        self.armed = False
        self._target = target
        self._told = told
        self._links: set[_Link] = set()

    async def listen(self) -> None:
        """Take connections on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection."""
        for link in list(self._links):
            link.cut()

    def lost_answer(self) -> None:
        """A link has just lost the answer to a COMMIT."""
        self._told(self.name)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_unix_connection(str(self._target))
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, (reader, writer), server)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection, both halves of it."""

    def __init__(self, door: Door, client: Stream, server: Stream) -> None:
        self._door = door
        self._client = client
        self._server = server
        self._requests = Requests()
        self._losing = False

    async def run(self) -> None:
        """Until one side ends."""
        ways = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._end()

    def cut(self) -> None:
        """Reset both sides."""
        self._client[1].transport.abort()
        self._server[1].transport.abort()

    def _end(self) -> None:
        for _, writer in (self._client, self._server):
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _up(self) -> None:
        while data := await self._client[0].read(_PIECE):
            writes = self._requests.writes(data)
            if writes and self._door.armed:
                self._door.armed = False
                self._losing = True
            await self._hold()
            self._server[1].write(data)
            await self._server[1].drain()

    async def _down(self) -> None:
        kept = b""
        while data := await self._server[0].read(_PIECE):
            await self._hold()
            kept += data
            if self._losing and kept.endswith(COMMITTED):
                self._door.lost_answer()
                self.cut()
                return
            # What is told inside a transaction is not lost, but the answer to its COMMIT.
            if not self._losing or kept.endswith(IN_TRANSACTION):
                self._client[1].write(kept)
                await self._client[1].drain()
                kept = b""

    async def _hold(self) -> None:
        if self._door.delay:
            await asyncio.sleep(self._door.delay)
        await self._door.open.wait()


class Proxy:
    """All doors. Its methods may be called from any thread."""

    def __init__(self, target: Path, names: Iterable[str], told: Callable[[str], None]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._doors = {name: Door(name, target, told) for name in names}
        for door in self._doors.values():
            self._run(door.listen())

    def port(self, name: str) -> int:
        """Where a door is."""
        return self._doors[name].port

    def cut(self, name: str) -> None:
        """Reset the connections of a door, or of all but the pulse's."""
        self._each(name, Door.cut)

    def arm(self, name: str) -> None:
        """The next write through the door commits, and its answer is lost with the connection."""
        self._each(name, lambda door: setattr(door, "armed", True))

    def disarm(self, name: str) -> None:
        """Not any more."""
        self._each(name, lambda door: setattr(door, "armed", False))

    def swallow(self, name: str) -> None:
        """Nothing comes through, and nobody is told."""
        self._each(name, lambda door: door.open.clear())

    def end_swallowing(self, name: str) -> None:
        """What was swallowed is lost, and its connections with it; new ones work."""

        def end(door: Door) -> None:
            door.cut()
            door.open.set()

        self._each(name, end)

    def slow(self, name: str, seconds: float) -> None:
        """Every message takes so much longer."""
        self._each(name, lambda door: setattr(door, "delay", seconds))

    def close(self) -> None:
        """End."""
        for door in self._doors:
            self.cut(door)
        self._run(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _each(self, name: str, action: Callable[[Door], Any]) -> None:
        everyone = [door for door in self._doors.values() if door.name != PULSE_DOOR]
        doors = everyone if name == EVERYONE else [self._doors[name]]

        async def act() -> None:
            for door in doors:
                action(door)

        self._run(act())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_SECONDS)


async def _end_tasks() -> None:
    """All of this loop but this one."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
