"""Who judges a play: a judge in its process, as a rule, or one in a process of its own (see `judge_process`)."""

from typing import Protocol

from simulator.trace import CLOUD, AccountEnded, Entry
from simulator.trace.packed import Pack
from simulator.verdict import Judge, Verdict


class Judging(Protocol):
    """Is fed a play's trace, and asked about it."""

    @property
    def has_begun(self) -> bool:
        """Whether it was fed the beginning of a run, without which there is nothing to judge."""

    def feed(self, entry: Entry) -> None:
        """Take in the next entry."""

    def feed_all(self, pack: Pack) -> None:
        """Take in the next entries of one source."""

    async def verdict(self) -> Verdict:
        """What held so far. Raises InputError."""

    async def violated(self, cloud_n: int, cloud_at: float) -> frozenset[str]:
        """What would be held against devices if that came to be the cloud's last entry, at that time of its clock."""


class JudgingHere:
    """In this process."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.feed = judge.feed

    @property
    def has_begun(self) -> bool:
        """See Judging."""
        return self._judge.has_begun

    def feed_all(self, pack: Pack) -> None:
        """See Judging."""
        for entry in pack:
            self.feed(entry)

    async def verdict(self) -> Verdict:
        """See Judging."""
        return self._judge.verdict()

    async def violated(self, cloud_n: int, cloud_at: float) -> frozenset[str]:
        """See Judging."""
        return violated_if_it_ended(self._judge, cloud_n, cloud_at)


def violated_if_it_ended(judge: Judge, cloud_n: int, cloud_at: float) -> frozenset[str]:
    """The invariants that would be, if that came to be the cloud's last entry."""
    now = judge.fork()
    now.feed(Entry(CLOUD, cloud_n, cloud_at, AccountEnded()))
    return frozenset(each.id for each in now.verdict().invariants if each.outcome == "violated")
