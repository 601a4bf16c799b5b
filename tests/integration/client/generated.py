"""Run as a program: a client that openapi-python-client made, given its folder and the service.

Imports all of it, asks for the job types, and prints what the answer is parsed as."""

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def main(folder: str, url: str) -> None:
    """Print the name of the shape and how many operations there are."""
    sys.path.insert(0, str(Path(folder).parent))
    package = importlib.import_module(Path(folder).name)
    names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    operations = [module for module in map(importlib.import_module, names) if _is_one(module)]
    types: Any = next(each for each in operations if _asks_for(each, "/api/v1/jobs/types"))
    answer = types.sync_detailed(client=package.Client(base_url=url))
    print(int(answer.status_code), type(answer.parsed).__name__, len(operations))


def _is_one(module: ModuleType) -> bool:
    return hasattr(module, "sync_detailed")


def _asks_for(module: Any, path: str) -> bool:
    wanted = inspect.signature(module._get_kwargs).parameters.values()
    needs_nothing = all(each.default is not inspect.Parameter.empty for each in wanted)
    return needs_nothing and module._get_kwargs()["url"] == path


if __name__ == "__main__":
    main(*sys.argv[1:])
