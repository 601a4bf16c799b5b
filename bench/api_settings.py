"""The service's settings, with plans that the API's benchmark asks under."""

from accounts.plans import PLANS, Plan
from mediaproc.settings import *  # noqa: F403

ENOUGH = 10_000_000
# Each request is counted, and none is refused.
PLANS["counted"] = Plan(requests_a_minute=ENOUGH)
# All that a paying account has is looked at: the jobs that are in work reach their limit.
PLANS["limited"] = Plan(requests_a_minute=ENOUGH, jobs_a_minute=ENOUGH, concurrent_jobs=200)
