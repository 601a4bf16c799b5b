"""Oban for Python, the free one."""

import asyncio
import signal

from oban import Job, Oban, worker
from oban.schema import install

from bench import marks
from bench.peers.common import URL, Payload, main

LIMIT = {"four": 4, "best": 200}


@worker(queue="default")
class Noop:
    """Nothing."""

    async def process(self, job: Job) -> None:
        marks.started(job.args["number"])


def _job(payload: Payload) -> Job:
    return Noop.new(dict(payload))  # type: ignore[attr-defined] # the decorator adds it


class ObanQueue:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        async with await Oban.create_pool(URL) as pool:
            await install(pool)

    async def open(self) -> None:
        self._pool = await Oban.create_pool(URL)
        self._oban = Oban(pool=self._pool)

    async def submit(self, payload: Payload) -> int:
        await self._oban.enqueue(_job(payload))
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        await self._oban.enqueue_many(_job(each) for each in payloads)

    async def close(self) -> None:
        await self._pool.close()

    async def work(self, mode: str) -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with (
            await Oban.create_pool(URL) as pool,
            Oban(pool=pool, queues={"default": LIMIT[mode]}),
        ):
            await stopped.wait()


if __name__ == "__main__":
    main(ObanQueue())
