"""Why work fails, is rejected, or waits: a fixed vocabulary, for machines; the reason beside it is for people.

A report that ends an execution FAILED or REJECTED has one of these words as `cause` in its statusDetails, and a step
that waits names one in `waiting`. Words are added, never renamed: whoever counts failures of a fleet counts by them.
"""

import errno
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """One word each; what it means stands in `MEANINGS`."""

    MALFORMED_DOCUMENT = "malformed-document"
    UNKNOWN_OPERATION = "unknown-operation"
    NOT_ALLOWED = "not-allowed"
    CONDITION_NOT_MET = "condition-not-met"
    REFUSED_PATH = "refused-path"
    REFUSED_URL = "refused-url"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    BAD_ANSWER = "bad-answer"
    ACCESS_DENIED = "access-denied"
    NOT_FOUND = "not-found"
    HASH_MISMATCH = "hash-mismatch"
    WRONG_LENGTH = "wrong-length"
    WRONG_CONTENT = "wrong-content"
    SIGNATURE = "signature"
    ROLLED_BACK = "rolled-back"
    SELF_TEST = "self-test"
    PERMISSION = "permission"
    SPACE = "space"
    DISK = "disk"
    TIMEOUT = "timeout"
    PROGRAM = "program"
    INTERRUPTED = "interrupted"
    NO_ANSWER = "no-answer"
    KILLED = "killed"
    STEP_FAILED = "step-failed"
    HANDLER_CRASHED = "handler-crashed"


MEANINGS: Final[dict[Cause, str]] = {
    Cause.MALFORMED_DOCUMENT: "the document is missing, is no JSON object, or has a member missing or of a wrong form",
    Cause.UNKNOWN_OPERATION: "nobody on this device knows what the document asks for",
    Cause.NOT_ALLOWED: "the owner of the device does not allow it",
    Cause.CONDITION_NOT_MET: "a condition of the document does not hold here, or cannot be judged here",
    Cause.REFUSED_PATH: "a path that documents may not name, or that others may write to",
    Cause.REFUSED_URL: "a URL that nothing may be fetched from, or that leads to one",
    Cause.UNREACHABLE: "nobody answers there, or the server cannot for now",
    Cause.UNTRUSTED: "TLS: the server's certificate, or the handshake",
    Cause.BAD_ANSWER: "the server answers what makes no sense, or its answer breaks off",
    Cause.ACCESS_DENIED: "the server, or the service, refuses",
    Cause.NOT_FOUND: "no such file, program, user or directory",
    Cause.HASH_MISMATCH: "what has come has another digest than the document says",
    Cause.WRONG_LENGTH: "what has come is longer or shorter than the document says",
    Cause.WRONG_CONTENT: "not what it should be: no valid JSON, no whole image, another document or version",
    Cause.SIGNATURE: "the image's signature is no good",
    Cause.ROLLED_BACK: "the new firmware does not run: the device came back with another",
    Cause.SELF_TEST: "the new firmware failed its self-test",
    Cause.PERMISSION: "the operating system does not let the agent",
    Cause.SPACE: "the disk or a quota is full, or the file larger than this device takes",
    Cause.DISK: "the disk, or another part of the operating system, failed",
    Cause.TIMEOUT: "it took longer than it may",
    Cause.PROGRAM: "a program ended with another exit status than 0, by a signal, or complained too much",
    Cause.INTERRUPTED: "a program was interrupted, or may have been, and is not begun twice",
    Cause.NO_ANSWER: "the service did not answer where the device goes on with its leave only",
    Cause.KILLED: "the agent died of this step, or the machine went down in it, again and again",
    Cause.STEP_FAILED: "the handler gives a reason of its own: see there",
    Cause.HANDLER_CRASHED: "a fault in a handler: its traceback is in the device's log",
}

OF_ERRNO: Final[dict[int, Cause]] = {
    errno.ENOSPC: Cause.SPACE,
    errno.EDQUOT: Cause.SPACE,
    errno.EFBIG: Cause.SPACE,
    errno.EACCES: Cause.PERMISSION,
    errno.EPERM: Cause.PERMISSION,
    errno.EROFS: Cause.PERMISSION,
    errno.ENOENT: Cause.NOT_FOUND,
}


def cause_of(error: OSError) -> Cause:
    """What the operating system's refusal is called here."""
    return OF_ERRNO.get(error.errno or 0, Cause.DISK)
