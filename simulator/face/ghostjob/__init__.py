"""Force-delete AWS IoT jobs under running devices, and prove that the devices recover.

    >>> import ghostjob
    >>> result = ghostjob.play("delete-in-write", engine="virtual", devices=2)
    >>> result.outcome
    'passed'

`play` plays a scenario and returns its Result; `LocalCloud` is a local AWS IoT for as long as a `with` lasts; `certify`
plays a matrix of deletions against a device of your own, of which `ghostjob.certification` has the types. All run in
processes of their own, and import nothing but the standard library into yours, so a repository may well have an `agent`
or a `simulator` of its own. Nothing is printed: what there is to tell goes to the logger `ghostjob`, for whoever gives
it a handler.
"""

from ghostjob._certify import certify
from ghostjob._cloud import Certificate, LocalCloud
from ghostjob._errors import GhostjobError, InputError, Refused
from ghostjob._play import play, play_async
from ghostjob._result import Entry, Invariant, Result, Verdict, Violation

__all__ = [
    "Certificate",
    "Entry",
    "GhostjobError",
    "InputError",
    "Invariant",
    "LocalCloud",
    "Refused",
    "Result",
    "Verdict",
    "Violation",
    "certify",
    "play",
    "play_async",
]
