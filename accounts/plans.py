"""What an account may use. Which plan it has stands in its row; what that means stands here."""

from dataclasses import dataclass

from jobs.priorities import HIGHEST


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits of one account; 0 is none.

    highest_priority: of a job that it submits.
    """

    jobs_a_minute: int = 0
    concurrent_jobs: int = 0
    highest_priority: int = HIGHEST
    largest_batch: int = 0
    requests_a_minute: int = 0
    webhook_endpoints: int = 0


FREE = "free"
PAID = "paid"

PLANS: dict[str, Plan] = {
    FREE: Plan(
        jobs_a_minute=60,
        concurrent_jobs=10,
        highest_priority=6,
        largest_batch=1_000,
        requests_a_minute=300,
        webhook_endpoints=3,
    ),
    PAID: Plan(
        jobs_a_minute=6_000,
        concurrent_jobs=200,
        largest_batch=100_000,
        requests_a_minute=3_000,
        webhook_endpoints=20,
    ),
}
UNLIMITED = Plan()
