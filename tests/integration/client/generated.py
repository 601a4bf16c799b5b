"""Run as a program: a client that openapi-python-client made, given its folder and the service.

Imports all of it, asks for the job types, and prints what the answer is parsed as."""

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any


def main(folder: str, url: str) -> None:
    """Print the status, the name of the shape and how many operations there are."""
    sys.path.insert(0, str(Path(folder).parent))
    package = importlib.import_module(Path(folder).name)
    names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    modules = {name: importlib.import_module(name) for name in names}
    types: Any = modules[f"{package.__name__}.api.jobs.job_types"]
    answer = types.sync_detailed(client=package.Client(base_url=url))
    operations = [module for module in modules.values() if hasattr(module, "sync_detailed")]
    print(int(answer.status_code), type(answer.parsed).__name__, len(operations))


if __name__ == "__main__":
    main(*sys.argv[1:])
