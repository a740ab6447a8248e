"""Recurring maintenance windows: AWS's cron expressions, in UTC, and when they open.

    cron(30 22 ? * MON-FRI *)    minute hour day-of-month month day-of-week year

Fields take numbers, names, lists, ranges, steps, `*` and `?`, and of AWS's special letters `L` for the last day of the
month, `DAY#N` for the nth such weekday and `DAYL` for the last; `W` is not understood. Sunday is 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from simulator.cloud.jobs.configuration import MaintenanceWindow
from simulator.cloud.jobs.errors import JobsError

MINUTE: Final = 60
DAY: Final = 86_400
HORIZON_DAYS: Final = 366 * 5
"""A window that does not open within so many days never does."""
MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class Cron:
    """One expression, read. Days count from 1; of a weekday, `nth` says which in its month, 0 for all, -1 the last."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int]
    nth: int
    years: frozenset[int]

    def is_on(self, year: int, month: int, day: int, weekday: int) -> bool:
        """Whether it has times on that day."""
        if year not in self.years or month not in self.months or weekday not in self.weekdays:
            return False
        length = month_length(year, month)
        if self.nth and not (day > length - 7 if self.nth < 0 else (day - 1) // 7 + 1 == self.nth):
            return False
        return day in self.days or (self.last_day and day == length)

    def times(self, from_: float, days: int = HORIZON_DAYS) -> Iterator[float]:
        """Every time from `from_` on, in order, for so many days, that of `from_` included."""
        first = int(from_ // DAY)
        for number in range(first, first + days):
            year, month, day = civil(number)
            if self.is_on(year, month, day, (number + 4) % 7 + 1):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        at = number * DAY + hour * 3600 + minute * 60
                        if at >= from_:
                            yield float(at)


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1970 (Howard Hinnant's `civil_from_days`)."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def month_length(year: int, month: int) -> int:
    """Days of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@lru_cache(maxsize=64)
def read_cron(text: str) -> Cron:
    """Read an expression. Raises JobsError."""
    fields = text.strip().removeprefix("cron(").removesuffix(")").upper().split()
    try:
        minute, hour, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?") and "*" not in (day, weekday):
            raise ValueError("exactly one of day of month and day of week is ?")
        weekdays, nth = _weekdays(weekday)
        return Cron(
            _field(minute, 0, 59),
            _field(hour, 0, 23),
            frozenset() if day == "L" else _field(day, 1, 31),
            day == "L",
            _field(month, 1, 12, MONTHS),
            weekdays,
            nth,
            _field(year, 1970, 2199),
        )
    except ValueError as error:
        raise JobsError("InvalidRequest", f"Maintenance window {text!r}: {error}") from None


def _weekdays(text: str) -> tuple[frozenset[int], int]:
    name, hash_, nth = text.partition("#")
    if hash_:
        return _field(name, 1, 7, WEEKDAYS), int(nth)
    if text.endswith("L") and text != "L":
        return _field(text[:-1], 1, 7, WEEKDAYS), -1
    return (frozenset({7}) if text == "L" else _field(text, 1, 7, WEEKDAYS)), 0


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers that a field stands for. Raises ValueError."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, low, high, names)
            last = _number(end, low, high, names) if dash else high if slash else first
        if last < first or (slash and (not step.isdigit() or int(step) < 1)):
            raise ValueError(f"{part!r} is out of order")
        found.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    number = names.index(text) + 1 if text in names else int(text) if text.isdigit() else -1
    if not low <= number <= high:
        raise ValueError(f"{text!r} is not from {low} to {high}")
    return number


def opening(windows: tuple[MaintenanceWindow, ...], now: float) -> float | None:
    """`now` if a window is open; else when the next one opens, None if none ever does."""
    opens: list[float] = []
    for window in windows:
        cron, lasts = read_cron(window.cron), window.minutes * 60
        first = next(cron.times(now - lasts + 1e-6), None)
        if first is not None:
            opens.append(max(first, now))
    return min(opens, default=None)


def is_open(windows: tuple[MaintenanceWindow, ...], now: float) -> bool:
    """Whether a window is open. A device's every list may ask; the answer is the same for a minute."""
    return _is_open(windows, int(now // MINUTE) * MINUTE)


@lru_cache(maxsize=1024)
def _is_open(windows: tuple[MaintenanceWindow, ...], minute: int) -> bool:
    for window in windows:
        lasts = window.minutes * MINUTE
        times = read_cron(window.cron).times(minute - lasts + 1, lasts // DAY + 2)
        if next(times, minute + 1) <= minute:
            return True
    return False


def next_openings(windows: tuple[MaintenanceWindow, ...], now: float, count: int) -> tuple[float, ...]:
    """The next times at which a window opens: scheduledJobRollouts."""
    times = sorted(at for window in windows for at in _first(read_cron(window.cron).times(now), count))
    return tuple(dict.fromkeys(times))[:count]


def _first(times: Iterator[float], count: int) -> Iterator[float]:
    for _, at in zip(range(count), times, strict=False):
        yield at
