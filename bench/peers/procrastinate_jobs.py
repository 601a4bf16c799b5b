"""procrastinate: an async task, the async connector, one worker."""

import procrastinate

from bench import marks
from bench.peers.common import URL, Payload, main

CONCURRENCY = {"four": 4, "best": 10}

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL, max_size=20))


@app.task(name="noop")
async def noop(number: int, text: str) -> None:
    """Nothing."""
    marks.started(number)


class Procrastinate:
    """See `bench.peers.common.Queue`."""

    async def setup(self) -> None:
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    async def open(self) -> None:
        await app.open_async()

    async def submit(self, payload: Payload) -> int:
        await noop.defer_async(**payload)
        return marks.now()

    async def submit_many(self, payloads: list[Payload]) -> None:
        await noop.batch_defer_async(*payloads)

    async def close(self) -> None:
        await app.close_async()

    async def work(self, mode: str) -> None:
        async with app.open_async():
            await app.run_worker_async(concurrency=CONCURRENCY[mode])


if __name__ == "__main__":
    main(Procrastinate())
