"""One line for many short jobs."""

from structlog.testing import capture_logs

from jobs.worker.tally import EVERY_SECONDS, Tally


def test_one_line_a_second_and_none_for_nothing() -> None:
    with capture_logs() as lines:
        tally = Tally()
        tally.flush(0.0)
        began = tally._logged_at
        for _ in range(10):
            tally.add(3, 0.25, began + EVERY_SECONDS / 2)
        assert lines == []
        tally.add(1, 0.5, began + EVERY_SECONDS)
        tally.flush(began + EVERY_SECONDS)
    [line] = lines
    assert (line["event"], line["jobs"], line["seconds"]) == ("jobs.ended", 31, 3.0)


def test_what_was_not_logged_comes_with_the_flush() -> None:
    with capture_logs() as lines:
        tally = Tally()
        tally.add(2, 0.1, tally._logged_at)
        tally.flush(tally._logged_at)
        tally.flush(tally._logged_at)
    assert [line["jobs"] for line in lines] == [2]
