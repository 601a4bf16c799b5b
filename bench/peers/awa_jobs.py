"""awa: its engine is native code, the job is a Python coroutine."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Any

from awa import AsyncClient

from bench import marks
from bench.peers.common import URL, Payload, main

WORKERS = {"four": 4, "best": 256}
# Its parser wants a host beside the socket's folder, which then counts.
ADDRESS = URL.replace("@/", "@localhost/")


@dataclass
class Noop:
    """Nothing."""

    number: int
    text: str


class Awa:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        await self.open()
        await self._client.migrate()
        # Its faster engine; what `migrate` alone makes is the one of old.
        await self._client.install_queue_storage()
        await self.close()

    async def open(self) -> None:
        self._client = AsyncClient(ADDRESS)

    async def submit(self, payload: Payload) -> int:
        await self._client.insert(Noop(**payload))
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        await self._client.enqueue_many_copy([Noop(**each) for each in payloads])

    async def close(self) -> None:
        await self._client.close()

    async def work(self, mode: str) -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        client = AsyncClient(ADDRESS, max_connections=20)

        @client.task(Noop, queue="default")
        async def noop(job: Any) -> None:
            marks.started(job.args.number)

        await client.start([("default", WORKERS[mode])])
        await stopped.wait()
        await client.shutdown()
        await client.close()


if __name__ == "__main__":
    main(Awa())
