"""What is said of a damaged file: which record it is, what is lost by it, and how to go on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from agent.errors import InputError
from simulator.cloud.store import seals

SHOWN: Final = 3
"""So many records are named in the line."""
LONGEST: Final = 120
"""Characters of a key that are shown."""
LOST: Final = {
    "new-job": "the job with its document, and its executions",
    "job": "the job with its document, and its executions",
    "execution": "how far the device had come with the job",
    "thing-news": "what jobs were still to learn of the thing: that it came, or went",
    "thing": "the thing with its attributes",
    "thing-group": "the group, and who is in it",
    "certificate": "the certificate: whoever holds it is let in no longer",
    "deleted-certificate": "that the certificate was deleted: one that --certs holds is registered again, ACTIVE",
    "policy": "the policy: what it allows or denies is neither allowed nor denied",
    "job-template": "the template",
    "tags": "the tags",
    "event-configurations": "which events are published",
    "indexing-configuration": "whether things are indexed",
    "group-member": "that the thing is in the group",
    "thing-principal": "that the certificate is the thing's",
    "policy-target": "what the policy allows or denies there",
    "session": "the session with its subscriptions, and the messages that wait for it",
    "message": "a message that waits for its client",
    "retained": "the retained message",
    "secret": "that URLs of files which were given out go on being good",
}
"""What is gone with a record of each kind."""
Sums: TypeAlias = Mapping[str, tuple[int, int]]
"""By kind how many records there are, and the total of their seals."""
Raw: TypeAlias = tuple[int, str, int, str, int]
"""Kind, key, number, text, seal."""


class Damage(NamedTuple):
    """What is wrong, in words, and what is lost by it, if that can be said."""

    what: str
    lost: str = ""


class Damaged(InputError):  # noqa: N818 - it says what the file is
    """A state file is not as it was written."""

    def __init__(self, path: Path, damage: Damage, survey: str = "") -> None:
        """`survey` says what else a look at all of it showed."""
        self.damage = damage
        lost = f"; lost by it: {damage.lost}" if damage.lost else ""
        more = f"; {survey}" if survey else ""
        super().__init__(
            f"--state {path}: it is damaged: {damage.what}{lost}{more}; restore it from a copy, or start with "
            "--salvage, which keeps this file, says what is lost, and goes on with the rest"
        )


def named(kind: str, key: str) -> str:
    """A record in words, on one line whatever its key holds."""
    shown = key.encode("unicode_escape").decode().replace("\\x1f", "|")
    return f"{kind} {shown if len(shown) <= LONGEST else shown[:LONGEST] + '…'}"


def several(names: Iterable[str]) -> str:
    """The first few, and how many there are besides."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


class Counted:
    """Looks at records as they come out of the file."""

    def __init__(self) -> None:
        self._changed: list[tuple[str, str]] = []
        self._counts = Counter[str]()
        self._totals = Counter[str]()

    def sound(self, rows: list[Any], names: Mapping[int, str], seeds: Mapping[int, int]) -> list[Raw]:
        """Those of these rows that are as they were written."""
        found: list[Raw] = []
        for row in rows:
            kind, key, _, _, seal = row
            name = names.get(kind)
            if name is None or not is_sealed(seeds[kind], row):
                self._changed.append((name or "unknown", str(key)))
                continue
            self._counts[name] += 1
            self._totals[name] += seal
            found.append(row)
        return found

    def damage(self, told: Sums) -> Damage | None:
        """What is wrong, once all were seen, if something is; `told` is what the file says of itself."""
        if self._changed:
            return of_changed(self._changed)
        for kind, (count, total) in told.items():
            found = self._counts[kind]
            lost = LOST.get(kind, "")
            if found < count:
                missing = count - found
                return Damage(f"{missing} {'record' if missing == 1 else 'records'} of the kind {kind} missing", lost)
            if found > count:
                return Damage(f"{found} records of the kind {kind}, and {count} were written", lost)
            if self._totals[kind] & seals.BITS != total:
                return Damage(f"a record of the kind {kind} is not the one that was written last", lost)
        return None


def of_changed(records: list[tuple[str, str]]) -> Damage:
    """Damage that is known by the records that it met."""
    what = f"{several(named(*record) for record in records)} {'was' if len(records) == 1 else 'were'} changed"
    lost = dict.fromkeys(LOST.get(kind, "") for kind, _ in records)
    return Damage(what, ", ".join(text for text in lost if text))


def is_sealed(seed: int, row: tuple[Any, ...]) -> bool:
    """Whether a row is as it was written: kind, key, number, text and seal, of whatever types they are."""
    _, key, number, text, seal = row
    if type(key) is not str or type(number) is not int or type(text) is not str:
        return False
    return bool(seals.of_row(seed, key, number, text) == seal)
