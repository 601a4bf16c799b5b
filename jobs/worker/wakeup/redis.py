"""SUBSCRIBE on Redis, where REDIS_URL is set."""

import time
from collections.abc import Iterator

from jobs.queue import redis_signal
from jobs.worker.wakeup.listener import CHECK_STOP_SECONDS, Listener, Pulse


class RedisListener(Listener):
    """Hears the PUBLISH of `jobs.queue.signal`."""

    signal_name = "redis"

    def session(self) -> Iterator[str | None]:
        """See Listener."""
        with redis_signal.connect() as client, client.pubsub() as pubsub:
            pubsub.subscribe(redis_signal.channel())
            pulse = Pulse(time.monotonic())
            while True:
                message = pubsub.get_message(timeout=CHECK_STOP_SECONDS)
                if message is not None:
                    pulse.heard(time.monotonic())
                    if message["type"] == "message":
                        yield message["data"].decode("ascii", "replace")
                if pulse.due(time.monotonic()):
                    pubsub.ping()
                yield None
