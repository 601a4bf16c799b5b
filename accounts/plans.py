"""What an account may use. Which plan it has stands in its row; what that means stands here."""

from dataclasses import dataclass

from jobs.priorities import HIGHEST


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits of one account; 0 is none.

    highest_priority: of a job that it submits. largest_batch: not above jobs_a_minute, or such a
    batch would never be taken. work_requests_a_minute: of its remote workers, which renew a lease
    every few seconds.
    """

    jobs_a_minute: int = 0
    concurrent_jobs: int = 0
    highest_priority: int = HIGHEST
    largest_batch: int = 0
    requests_a_minute: int = 0
    work_requests_a_minute: int = 0
    webhook_endpoints: int = 0
    concurrent_deliveries: int = 0
    schedules: int = 0


FREE = "free"
PAID = "paid"

PLANS: dict[str, Plan] = {
    FREE: Plan(
        jobs_a_minute=100,
        concurrent_jobs=10,
        highest_priority=6,
        largest_batch=100,
        requests_a_minute=300,
        work_requests_a_minute=1_200,
        webhook_endpoints=3,
        concurrent_deliveries=2,
        schedules=20,
    ),
    PAID: Plan(
        jobs_a_minute=100_000,
        concurrent_jobs=200,
        largest_batch=100_000,
        requests_a_minute=3_000,
        work_requests_a_minute=24_000,
        webhook_endpoints=20,
        concurrent_deliveries=8,
        schedules=500,
    ),
}
UNLIMITED = Plan()
