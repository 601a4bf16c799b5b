"""Why a remote worker is refused. The text is for people."""


class Refused(Exception):
    """status: the HTTP status that says it best. code: stable, for machines. retry_after:
    seconds, where it is not as long as usual."""

    status = 409
    code = ""
    text = ""
    retry_after: int | None = None

    def __init__(self, text: str = "") -> None:
        super().__init__(text or self.text)


class LeaseLost(Refused):
    """The job is not, or no longer, this worker's: it stops at once, nothing of it counts."""

    code = "lease_lost"
    text = "The lease is lost: stop this job, nothing of it counts."


class BadKey(Refused):
    """A signed address was changed, is of something else, or has expired."""

    status = 403
    code = "bad_key"
    text = "The key of this address is not valid, or not any more."


class NoUpload(Refused):
    """Jobs of this target have no output."""

    code = "no_output"
    text = "This job makes no file."


class UploadDiffers(Refused):
    """Another output was uploaded under this lease before."""

    code = "upload_differs"
    text = "Another output was uploaded under this lease; the first one counts."


class TooLarge(Refused):
    """The output is larger than MEDIA_MAX_OUTPUT_MB."""

    status = 413
    code = "output_too_large"
    text = "The output is larger than this service takes."


class Incomplete(Refused):
    """The connection ended before the output did."""

    status = 400
    code = "incomplete_body"
    text = "The connection ended before the body did."


class WrongDigest(Refused):
    """What arrived is not what was sent."""

    status = 422
    code = "wrong_digest"
    text = "The body does not have the SHA-256 that Content-Digest says."


class OutputMissing(Refused):
    """The job makes a file, and none was uploaded."""

    code = "output_missing"
    text = "Upload the output first."


class BadOutput(Refused):
    """The output is not what was asked for; the attempt has failed by it."""

    status = 422
    code = "bad_output"


class Infected(Refused):
    """The source or the output holds known malware; the job has failed by it."""

    status = 422
    code = "malware_found"


class NotNow(Refused):
    """The service cannot take it this moment: try again."""

    status = 503
    code = "unavailable"


class NotScanned(NotNow):
    """The scanner does not say what is in a file: it is neither given nor taken."""

    code = "scan_unavailable"
    retry_after = 30


class Busy(Refused):
    """The same is being done by another request."""

    code = "busy"
    text = "This job is being completed by another request. Try again."
