"""PgQueuer on asyncpg."""

import asyncio
import json
import signal

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bench import marks
from bench.peers.common import URL, Payload, main

# The library wants twice the batch to be allowed at a time.
BATCH = {"four": 2, "best": 500}
TASKS = {"four": 4, "best": None}


class Pgqueuer:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        await self.open()
        await self._queries.install()
        await self.close()

    async def open(self) -> None:
        self._connection = await asyncpg.connect(URL)
        self._queries = Queries(AsyncpgDriver(self._connection))

    async def submit(self, payload: Payload) -> int:
        await self._queries.enqueue("noop", json.dumps(payload).encode())
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        count = len(payloads)
        texts = [json.dumps(each).encode() for each in payloads]
        await self._queries.enqueue(["noop"] * count, texts, [0] * count)

    async def close(self) -> None:
        await self._connection.close()

    async def work(self, mode: str) -> None:
        queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(URL)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queuer.shutdown.set)

        @queuer.entrypoint("noop")
        async def noop(job: Job) -> None:
            marks.started(json.loads(job.payload)["number"])

        await queuer.run(batch_size=BATCH[mode], max_concurrent_tasks=TASKS[mode])


if __name__ == "__main__":
    main(Pgqueuer())
