"""What may come of a scan, as a person should read it."""


class MalwareFound(Exception):
    """The file holds what a signature of the scanner knows. signature: its name."""

    def __init__(self, signature: str) -> None:
        super().__init__(f"It holds known malware: {signature}.")
        self.signature = signature


class ScanUnavailable(Exception):
    """Nobody can say what the file holds; perhaps later."""


class Unreachable(ScanUnavailable):
    """The scanner is not there, or hung up: it may be starting again."""


class Stopped(Exception):
    """`stop()` became true."""
