"""The answer on one page of a terminal, 80 columns by 24 lines."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from simulator.forecast.advice import in_short, in_words, peak, seeds_in_short, some
from simulator.forecast.model import Alternative, Band, Forecast

COLUMNS: Final = 80
HEAD: Final = ("", "gone", "healthy", "", "", "stran-", "SAFE,", "peak/s", "records")
BELOW: Final = ("alternative", "within", "p50", "p90", "all", "ded", "bricked", "", "lost")
UNIT: Final = re.compile(r"(\d) (%|s\b|min\b|h\b)")
WIDTHS: Final = (16, 8, 8, 8, 8, 8, 8, 8, 8)


def page(forecast: Forecast) -> str:
    """All of it."""
    return "\n".join(_lines(forecast)) + "\n"


def _lines(forecast: Forecast) -> Iterator[str]:
    now, jobs = forecast.now, ", ".join(forecast.jobs)
    yield from _filled(f"{forecast.scenario}: delete {jobs} now ({now.why})?")
    there = [f"{place.devices:,} {place.where}" for place in now.places if place.where != "ended"]
    ended = sum(now.ended.values()) + sum(place.devices for place in now.places if place.where == "ended")
    there += [f"{ended:,} ended"] if ended else []
    yield from _filled(f"{some(now.devices, 'device')}: {', '.join(there)}; {now.past_no_return:,} past no return")
    yield ""
    yield _row(HEAD)
    yield _row((*BELOW[:7], f"of {forecast.quotas.requests_per_second:,}", BELOW[8]))
    for each in forecast.alternatives:
        yield _row(_cells(each))
    yield ""
    yield from _filled(forecast.recommendation)
    yield ""
    used = forecast.quotas
    yield from _filled(
        f"quotas: {used.requests_per_second:,} reads a second, as many writes, {used.operations_per_second:g} calls a "
        f"second of each operation; a deletion takes {used.deletion_seconds:g} s and "
        f"{used.deletion_seconds_per_execution:g} s an execution; waves of {in_short(forecast.waves)}"
    )
    sample = f"{some(forecast.played, 'device')} played" + (" and scaled" if forecast.scaled else "")
    yield from _filled(f"{sample}, {seeds_in_short(forecast.seeds)}; a peak with ! is beyond the quota")


def _cells(one: Alternative) -> tuple[str, ...]:
    lost = round((one.safe.high or 0) + (one.bricked.high or 0))
    return (
        one.words,
        "stays" if one.deleted_seconds is None else in_words(one.deleted_seconds.middle),
        *(in_words(healthy.middle) for healthy in (one.healthy_p50, one.healthy_p90, one.healthy_all)),
        f"{_middle(one.stranded):,}",
        f"{lost:,}",
        f"{peak(one):,}{'' if one.is_within_quotas else '!'}",
        f"{_middle(one.records):,}",
    )


def _middle(band: Band) -> int:
    return round(band.middle or 0)


def _row(cells: tuple[str, ...]) -> str:
    first, *others = zip(cells, WIDTHS, strict=True)
    return (first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in others)).rstrip()


def _filled(text: str) -> list[str]:
    """In lines, of which none ends between a number and its unit."""
    kept = UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", text)
    lines = textwrap.wrap(kept, COLUMNS, break_on_hyphens=False, break_long_words=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
