"""What the versions that a probe tells show, of reports and of ghosts, that the wire alone does not.

A claim needs samples that a correct device could not have given. It may run a version on trial before it reports, and
take it back: nothing is held against it before its success was taken, or its execution was taken away. It may tell its
version late: what a probe says counts only `ready_seconds` after that.
"""

from itertools import pairwise
from typing import Final

from agent.values import ExecutionKey
from simulator.verdict.findings import Finding, Ruling, Subject, undecided, violated
from simulator.verdict.heard import OVER
from simulator.verdict.invariants.versions import Account, accounts_of, lost, turned_to
from simulator.verdict.samples import Samples
from simulator.verdict.seen import Mark

LATE_MICROS: Final = 1_000_000
"""A probe that has told versions before their success was reported is not later than that without a reason."""


def rule_accounted_for(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """A success that was taken, after which another version runs; or one that runs at the end, and nothing explains.

    The first: seen more than `ready_seconds` after the report was taken, before anything else was and while its record
    was there, in the words of some job of the run or of what ran at first, with no note of it. The second: its
    execution was taken from under the device, has been for so long, and a report of another one since says nothing of
    it. A note is any text in the details of a later report, or of its own FAILED, that has the version in it.

    Undecided is what runs of an earlier job, whose id was used again, once a report of success was taken for the later.
    """
    accounts = accounts_of(samples, subject)
    if not accounts:
        return ruling
    found = [_false_success(each) or _unexplained(each) or _earlier(each) for each in accounts]
    wrong = [each for each in found if each is not None]
    if any(each.outcome == "violated" for each in wrong):
        return ruling.but(*(each for each in wrong if each.outcome == "violated"))
    if wrong:
        return ruling.but(wrong[0])
    if any(_is_explained(each) for each in accounts):
        shown = tuple(each for each in ruling.findings if each.outcome == "violated")
        return Ruling(max(ruling.held, 1), shown)  # seen: what a refused report left open is not
    return ruling


def _is_explained(account: Account) -> bool:
    """Whether what it was last seen to run is what the last success brought, be it seen only before the report."""
    successes, last = account.successes, account.last
    if not successes or last is None:
        return False
    key, _, mark = successes[-1]
    return last.until > account.began(key, mark) and last.runs in account.brings(key)


def _false_success(account: Account) -> Finding | None:
    for key, _, mark in account.successes:
        until = account.stands_until(key, mark)
        for stretch in account.after(mark.at, account.subject.limits.ready, until):
            version = stretch.runs or ""
            if version in account.brings(key) or account.noted(version, key, mark):
                continue
            wanted = " or ".join(account.brings(key))
            if not account.knows(version):
                why = (
                    f"reported success, which brings {wanted}, and {account.probe} says {version}, which no job brings"
                )
                return undecided(key.job_id, why, mark, stretch.last)
            message = f"reported success, which brings version {wanted}, but runs {version} by {account.probe}"
            return violated(key.job_id, message, mark, stretch.first, stretch.last)
    return None


def _earlier(account: Account) -> Finding | None:
    """Of what runs at the end: what the job brought before its id was used again, and not what it brings now."""
    last, successes = account.last, account.successes
    if last is None or not successes:
        return None
    key, _, mark = successes[-1]
    wanted = account.meant(key)
    if last.runs in wanted or last.runs not in account.brings(key):
        return None
    if last not in account.after(mark.at, account.subject.limits.ready, float("inf")):
        return None
    words = f"reported success, which brings version {wanted[0]}, but runs {last.runs}, which an earlier job of its id"
    return undecided(key.job_id, f"{words} brought: was the report meant for that one?", mark, last.first, last.last)


def _unexplained(account: Account) -> Finding | None:
    """Of what runs at the end."""
    last, subject = account.last, account.subject
    if last is None or last.runs is None or last.runs == account.first or last.runs not in account.brought:
        return None
    version = last.runs
    if any(version in account.brings(key) for key, _, _ in account.successes):
        return None
    life = next((each for each in reversed(subject.record.lives.values()) if version in account.brings(each.key)), None)
    if life is None or life.began is None or account.noted(version, life.key, life.began):
        return None
    job, words = life.key.job_id, f"runs version {version} by {account.probe}, which no accepted report"
    is_over = life.ended is not None and all(each.ended is not None for each in subject.record.lives.values())
    at_rest = max((each.ended.at for each in subject.record.lives.values() if each.ended is not None), default=0)
    has_told = life.ended is not None and any(
        report.last.n > life.ended.n for key, report in account.samples.reports.items() if key != life.key
    )
    if is_over and last.until <= at_rest:
        return None  # nobody has looked since
    is_long = is_over and last in account.after(at_rest, subject.limits.ready, float("inf"))
    if subject.course.ended and has_told and is_long and not account.samples.forgot_reports:
        return violated(job, f"{words} and no later note explains", life.ended, last.first, last.last)
    return undecided(job, f"{words} explains yet; a later one may", life.ended, last.first)


def rule_tested(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """A success reported while the old version ran, which was left only later, by a restart: the new one had not run.

    Only by a probe that has told another version of the run before its success was reported: others may tell late. An
    opportunity is a success whose version was seen to run, before it was taken, or after, and none but that: between
    the end of its work and its report there may be no time for a sample.
    """
    for account in accounts_of(samples, subject):
        early = [_told_before(account, key, mark) for key, _, mark in account.successes]
        for (key, _, mark), is_early in zip(account.successes, early, strict=True):
            finding = _vouched_untried(account, key, mark) if any(early) and not is_early else None
            if finding is not None or is_early or _told_after(account, key, mark):
                ruling = ruling.but(finding)
    return ruling


def _told_before(account: Account, key: ExecutionKey, success: Mark) -> bool:
    """Whether its version was seen to come while it was in progress, before its success was taken."""
    runs = [each for each in account.stretches if each.runs is not None]
    brings, began = account.brings(key), account.began(key, success)
    return any(
        before.runs not in brings and after.runs in brings and began < after.began and after.at < success.at
        for before, after in pairwise(runs)
    )


def _told_after(account: Account, key: ExecutionKey, success: Mark) -> bool:
    """Whether the first sample that began once its success was taken, and while that stood, showed its version."""
    until = account.stands_until(key, success)
    later = [each for each in account.stretches if each.until >= success.at and each.at < until]
    return bool(later) and later[0].runs in account.brings(key)


def _vouched_untried(account: Account, key: ExecutionKey, success: Mark) -> Finding | None:
    limits, brings = account.subject.limits, account.brings(key)
    old = account.after(success.at, max(limits.detection, LATE_MICROS), account.stands_until(key, success))
    for stretch in old:
        at = account.stretches.index(stretch)
        later = [each for each in account.stretches[at + 1 :] if each.alive is not None][:2]
        if stretch.runs in brings or not account.knows(stretch.runs) or len(later) < 2:
            continue
        died, came = later
        if died.alive is False and came.runs in brings:
            message = f"reported the success of version {came.runs}, which it booted only then, from {stretch.runs}"
            return violated(key.job_id, message, success, stretch.last, died.first, came.first)
    return None


def rule_double_apply(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """A version that was reported, left, and runs again, though nobody asked for it: undecided, at most.

    The device may have fallen back and booted it again, which applies nothing. An opportunity is a success whose
    version was seen to run.
    """
    for account in accounts_of(samples, subject):
        for key, _, mark in account.successes:
            brings, until = account.brings(key), account.stands_until(key, mark)
            runs = [each for each in account.stretches if each.runs is not None and mark.at < each.last.at]
            seen = [each.runs in brings for each in runs if each.at < until]
            if True not in seen:
                continue
            first = seen.index(True)
            if False in seen[first:] and True in seen[first + seen[first:].index(False) :]:
                back = [each for each in runs if each.runs in brings][-1]
                why = f"version {back.runs} was left and runs again: applied once more, or only booted again"
                ruling = ruling.but(undecided(key.job_id, why, mark, back.first))
            else:
                ruling = ruling.but(None)
    return ruling


# ── ghosts that commit ──────────────────────────────────────────────────────────────────────────────────────────


def rule_stops(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """A version of a deleted execution that came to run long after its record was removed, while connected, and stayed.

    The old one was seen to run for both bounds, `detection_seconds` and `ready_seconds` (whoever is at an
    uninterruptible step ends it), after the removal and after a connection that lasted as long. The new one was seen to
    run for as long: one to which no notification came may try it, and ask before it keeps it.
    """
    limits = subject.limits
    for account in accounts_of(samples, subject):
        for life in subject.record.lives.values():
            if not life.lost_in_progress or life.removed is None:
                continue
            removed, allowed = life.removed, limits.detection + limits.ready
            for before, after in turned_to(account, life):
                if _could_know(account, removed.at, before.until, allowed) and account.stays(after, allowed):
                    seconds = f"{(before.until - removed.at) / 1_000_000:.1f} s"
                    message = f"came to run version {after.runs} more than {seconds} after the record was removed"
                    marks = (removed, before.last, after.first, after.last)
                    ruling = ruling.but(violated(life.key.job_id, message, *marks))
    return ruling


def _could_know(account: Account, removed_at: int, until: int, allowed: int) -> bool:
    """Whether it was connected for so long after the removal, before it was last seen with the old version."""
    for since, end in account.samples.spans:
        start = max(since, removed_at)
        span = min(until, until if end is None else end) - start
        if span > 0 and span - lost(account.subject, start, until) > allowed:
            return True
    return False


def rule_ghost_work(samples: Samples, subject: Subject, ruling: Ruling) -> Ruling:
    """A version of an execution that came to run long after the device had been told that the execution is over."""
    limits = subject.limits
    for account in accounts_of(samples, subject):
        for life in subject.record.lives.values():
            news = subject.testimony.heard(life.key).standing[OVER]
            if news is None or not life.lost_in_progress or subject.is_shared(life.key):
                continue
            for before, after in turned_to(account, life):
                told = news.answer.at
                if before.until - told - lost(subject, told, before.until) > limits.detection + limits.ready:
                    message = f"came to run version {after.runs} although told before that its execution is gone"
                    ruling = ruling.but(violated(life.key.job_id, message, news.sent, news.answer, after.first))
    return ruling
