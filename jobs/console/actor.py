"""Who uses the command line."""

import getpass


def actor() -> str:
    """For the history of jobs and pools."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user need not have a name
        return "command line"
