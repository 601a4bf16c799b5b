"""How many jobs a thread claims at a time."""

from jobs.worker.chunk import Chunk

LARGEST = 200


def test_long_jobs_are_claimed_one_by_one() -> None:
    chunk = Chunk(LARGEST)
    for _ in range(20):
        chunk.learn(1, 0.01)
    assert chunk.size == 1


def test_short_jobs_come_in_growing_chunks_up_to_a_bound() -> None:
    chunk = Chunk(LARGEST)
    sizes = []
    for _ in range(20):
        chunk.learn(chunk.size, chunk.size * 0.000_005)
        sizes.append(chunk.size)
    assert sizes == sorted(sizes)
    assert sizes[0] < 10
    assert sizes[-1] == LARGEST


def test_one_long_job_ends_the_chunks_at_once() -> None:
    chunk = Chunk(LARGEST)
    for _ in range(20):
        chunk.learn(chunk.size, chunk.size * 0.000_005)
    chunk.learn(chunk.size, 5.0)
    assert chunk.size == 1
