"""One sentence of advice, which follows from the numbers and from nothing else."""

from collections.abc import Sequence
from math import inf

from simulator.forecast.model import Alternative, WaveSizes
from simulator.forecast.quotas import Quotas


def advice(alternatives: Sequence[Alternative], waves: WaveSizes, quotas: Quotas) -> str:
    """What stops the job with the least harm: fewest devices lost, then fewest records, then the quotas, then time."""
    stopping = [each for each in alternatives if each.action in ("cancel-force", "delete-force", "waves")]
    deleting = [each for each in stopping if each.action != "cancel-force"]
    best, rest = min(stopping, key=_cost), min(deleting, key=_cost)
    wait = next(each for each in alternatives if each.action == "wait")
    if _harm(best) > _harm(wait):
        leaves = f"whatever stops it now leaves at least {some(_harm(best), 'device')} SAFE, bricked or unhealthy"
        return f"Wait: {leaves}, while waiting leaves {_harm(wait):,}, and {_soon(wait)}."
    if best.action == "cancel-force":
        keeps = f"it keeps {some(round(rest.records.middle or 0), 'record')} that a deletion takes for good"
        return (
            f"To stop it, {best.words}, not delete: {keeps}, and {_soon(best)}{_asks(best, quotas)}; "
            f"if they must go, {rest.words}: {_soon(rest)}{_quota(rest, wait, waves, quotas)}."
        )
    return f"To stop it, {best.words}: {_soon(best)}{_quota(best, wait, waves, quotas)}."


def _cost(one: Alternative) -> tuple[float, ...]:
    p90 = inf if one.healthy_p90.middle is None else one.healthy_p90.middle
    return _harm(one), one.records.middle or 0, not one.is_within_quotas, p90


def _harm(one: Alternative) -> int:
    """Devices that do not come back by themselves."""
    return round(one.never_healthy.high or 0)


def _soon(one: Alternative) -> str:
    if one.healthy_p90.middle is None:
        return "fewer than 90 % get healthy"
    return f"90 % are healthy within {in_words(one.healthy_p90.middle)}"


def _asks(one: Alternative, quotas: Quotas) -> str:
    """How it fares with the quotas."""
    if one.is_within_quotas:
        return ", within the quotas"
    return f", but with up to {peak(one):,} requests a second where the quota is {quotas.requests_per_second:,}"


def _quota(one: Alternative, wait: Alternative, waves: WaveSizes, quotas: Quotas) -> str:
    """The same, and which other way fares better, or as badly."""
    asks = _asks(one, quotas)
    if one.is_within_quotas:
        return asks
    if waves.largest is not None and one.action != "waves":
        return f"{asks} (waves of {in_short(waves)})"
    return f"{asks}, and waiting has up to {peak(wait):,}"


def in_short(waves: WaveSizes) -> str:
    """Which size of waves fares how with the quotas."""
    if waves.largest is None:
        return f"{waves.tried[-1].things:,} exceed them, too"
    size = "any size" if waves.is_any else f"{waves.largest:,}"
    return f"{size} {'stay within them' if waves.is_within_quotas else 'ask for no more than waiting does'}"


def peak(one: Alternative) -> int:
    """The most reads, or the most writes, in any one second, on any seed: as `is_within_quotas` has it."""
    return round(max(one.reads_peak.high or 0, one.writes_peak.high or 0))


def some(count: int, what: str) -> str:
    """So many of them."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def in_words(value: float | None) -> str:
    """A time in words; None: never."""
    if value is None:
        return "never"
    if value == 0:
        return "0 s"
    if value < 99.5:
        return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"
    if value < 600:
        return f"{value / 60:.1f} min"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def seeds_in_short(seeds: Sequence[int]) -> str:
    """By their ends: they follow one another."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
