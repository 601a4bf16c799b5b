"""How the chaos worker takes hold of a function of the engine."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


def wrap(module: ModuleType | type, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Replace a function in the module that uses it, or in its class.

    Raises AttributeError when it is not there.
    """
    setattr(module, name, wrapper(getattr(module, name)))
