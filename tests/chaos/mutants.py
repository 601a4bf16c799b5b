"""Known bugs, put back one by one."""
from typing import Any
MUTANTS: dict[str, Any] = {}
def check_all(*, as_json: bool) -> int:
    return 0
