"""Small words: how many of how many, how long, who."""

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """`1 device`, `7 devices`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def of(number: int, all_of_them: int, noun: str = "device") -> str:
    """`7 of 10 devices`, `all 10 devices`, `both devices`, `the only device`; to begin or to go on with."""
    if number == all_of_them:
        return {1: f"the only {noun}", 2: f"both {noun}s"}.get(number, f"all {count(number, noun)}")
    return f"{number} of {count(all_of_them, noun)}"


def has(number: int) -> str:
    """The verb of so many."""
    return "has" if number == 1 else "have"


def does(number: int) -> str:
    """The verb of so many."""
    return "does" if number == 1 else "do"


def seconds(number: float) -> str:
    """`0.042 s`, `1.2 s`, `95 s`: three digits that say something."""
    if number < 0.0005:
        return "0 s"
    if number < 0.1:
        return f"{number:.3f} s"
    return f"{number:.2f} s" if number < 1 else f"{number:.1f} s" if number < 60 else f"{number:.0f} s"


def between(numbers: Sequence[float]) -> str:
    """`0.04 s`, or `0.04 s to 0.09 s`; of at least one number."""
    least, most = seconds(min(numbers)), seconds(max(numbers))
    return least if least == most else f"{least} to {most}"


def listed(parts: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and 4 more`."""
    if len(parts) > most:
        parts = [*parts[: most - 1], f"{len(parts) - most + 1} more"]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def begun(sentence: str) -> str:
    """With a capital letter, unless it begins with a name."""
    return sentence[:1].upper() + sentence[1:]
