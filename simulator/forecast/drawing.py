"""The forecast as a page in one file: the answer first, the curves behind it. Nothing is fetched, and nothing runs."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from math import ceil, log10
from typing import Final

from simulator.forecast.advice import in_words, seeds_in_short, some
from simulator.forecast.model import Alternative, Band, Forecast, Point

WIDTH: Final = 560
HEIGHT: Final = 220
LEFT: Final = 62
BOTTOM: Final = 34
TOP: Final = 14
RIGHT: Final = 14
PARTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
EARLIEST: Final = 0.1
"""Seconds: where the picture of all ways begins."""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
COLUMNS: Final = (
    "alternative",
    "job gone within",
    "half healthy",
    "90 %",
    "all",
    "never",
    "stranded",
    "SAFE",
    "bricked",
    "reads/s peak",
    "writes/s peak",
    "throttled",
    "records lost",
    "work undone",
    "update kept",
)


def html(forecast: Forecast) -> str:
    """The whole file."""
    style = (files("simulator.page") / "static" / "page.css").read_text("utf-8")
    style += (files("simulator.forecast") / "forecast.css").read_text("utf-8")
    title = f"{forecast.scenario}: what if I press delete now?"
    now = forecast.now
    there = ", ".join(f"{place.devices:,} {place.where}" for place in now.places)
    ended = "".join(f", {count:,} {status}" for status, count in now.ended.items())
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>',
            '<header class="verdict" data-state="running"><div class="verdict-head">',
            f'<p id="title">{escape(title)}</p></div>',
            f'<h1 id="sentence" class="long">{escape(forecast.recommendation)}</h1></header>\n<main>',
            f'<section class="card"><h2>{some(now.devices, "device")}, {escape(now.why)}</h2>',
            f"<p>{escape(there + ended)}; {now.past_no_return:,} past their point of no return.</p></section>",
            f'<section class="card"><h2>The alternatives</h2><div class="wide">{_table(forecast)}</div>',
            f'<p class="note">Over {seeds_in_short(forecast.seeds)}: the one in the middle, and from least to most '
            "where they differ.</p></section>",
            _together(forecast.alternatives),
            *(_card(each, forecast) for each in forecast.alternatives),
            f'<section class="card"><h2>What this rests on</h2><ul class="facts">{_facts(forecast)}</ul></section>',
            f"</main>\n<footer>ghostjob {escape(forecast.version)}; the numbers are in forecast.json</footer>",
            "</body>\n</html>\n",
        )
    )


def _table(forecast: Forecast) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    limit = forecast.quotas.requests_per_second
    rows = "".join(f"<tr>{''.join(_cells(each, limit))}</tr>" for each in forecast.alternatives)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(one: Alternative, limit: int) -> Iterator[str]:
    yield f"<td>{escape(one.words)}</td>"
    yield f"<td>{'stays' if one.deleted_seconds is None else _times(one.deleted_seconds)}</td>"
    for healthy in (one.healthy_p50, one.healthy_p90, one.healthy_all):
        yield f"<td>{_times(healthy)}</td>"
    for count in (one.never_healthy, one.stranded, one.safe, one.bricked):
        yield f"<td{_over((count.high or 0) > 0)}>{_counts(count)}</td>"
    for peak in (one.reads_peak, one.writes_peak):
        yield f"<td{_over((peak.high or 0) > limit)}>{_counts(peak)}</td>"
    for count in (one.throttled, one.records, one.undone, one.kept):
        yield f"<td>{_counts(count)}</td>"


def _over(is_so: bool) -> str:
    return ' class="over"' if is_so else ""


def _times(band: Band) -> str:
    low, middle, high = (in_words(value) for value in (band.low, band.middle, band.high))
    return middle if low == high else f"{middle}<small>{low} to {high}</small>"


def _counts(band: Band) -> str:
    low, middle, high = (f"{round(value or 0):,}" for value in (band.low, band.middle, band.high))
    return middle if low == high else f"{middle}<small>{low} to {high}</small>"


def _facts(forecast: Forecast) -> str:
    used = forecast.quotas
    told = (
        f"quotas: {used.requests_per_second:,} reads and as many writes a second of devices; "
        f"{used.operations_per_second:g} calls a second of each operation of the control plane",
        f"a deletion: {used.deletion_seconds:g} s, and {used.deletion_seconds_per_execution:g} s for each execution",
        *(f"scaled from {some(forecast.played, 'device')}: {what}" for what in forecast.scaled),
        *(
            f"waves of {each.things:,}: at most {each.reads_peak:,} reads and {each.writes_peak:,} writes a second"
            for each in forecast.waves.tried
        ),
        *forecast.assumptions,
    )
    return "".join(f"<li>{escape(each)}</li>" for each in told)


# ── curves ────────────────────────────────────────────────────────────────────────────────────────────────────


def _together(alternatives: Sequence[Alternative]) -> str:
    """All ways in one picture, the middle of the seeds; its seconds are powers of ten, for some take so much longer."""
    last = max(EARLIEST * 10, *(point.seconds for each in alternatives for point in each.healthy_curve))
    decades = ceil(log10(last / EARLIEST))

    def x(at: float) -> float:
        return _x(log10(max(at, EARLIEST) / EARLIEST), decades)

    drawn = list(_heights(100.0))
    for power in range(decades + 1):
        anchor = "start" if power == 0 else "end" if power == decades else "middle"
        drawn.append(_below(x(EARLIEST * 10**power), in_words(EARLIEST * 10**power), anchor))
    for number, each in enumerate(alternatives):
        curve = [(x(point.seconds), point.middle) for point in each.healthy_curve]
        curve.append((WIDTH - RIGHT, curve[-1][1]))
        points = " ".join(f"{across:.1f},{_y(share, 1.0):.1f}" for across, share in curve)
        drawn.append(f'<polyline class="line way-{number}" points="{points}"/>')
    caption = "percent healthy, by time since the pressing"
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{caption}">{"".join(drawn)}</svg>'
    figure = f'<figure class="together"><figcaption>{caption}</figcaption>{_legend(alternatives)}{svg}</figure>'
    return f'<section class="card"><h2>How long until the fleet is healthy</h2>{figure}</section>'


def _legend(alternatives: Sequence[Alternative]) -> str:
    keys = "".join(
        '<span class="key"><svg width="44" height="12" viewBox="0 0 44 12" aria-hidden="true">'
        f'<line class="line way-{number}" x1="1" x2="43" y1="6" y2="6"/></svg>{escape(each.words)}</span>'
        for number, each in enumerate(alternatives)
    )
    return f'<p class="legend">{keys}</p>'


def _card(one: Alternative, forecast: Forecast) -> str:
    shares = [
        Point(seconds=p.seconds, low=p.low * 100, middle=p.middle * 100, high=p.high * 100) for p in one.healthy_curve
    ]
    limit = forecast.quotas.requests_per_second
    healthy = _figure(f"{one.words}: percent healthy, by time", [("", shares)], 100.0, None)
    curves = [("reads", one.reads_curve), ("writes", one.writes_curve)]
    most = max([limit * 1.1, *(point.high for _, curve in curves for point in curve)])
    caption = f"{one.words}: reads (whole line) and writes (broken line) a second; dotted: the quota"
    asked = _figure(caption, curves, most, float(limit))
    return f'<section class="card"><h2>{escape(one.words)}</h2><div class="pairs">{healthy}{asked}</div></section>'


def _figure(caption: str, curves: Sequence[tuple[str, Sequence[Point]]], most: float, limit: float | None) -> str:
    last = max([1e-6, *(point.seconds for _, curve in curves for point in curve)])

    def at(point: Point, value: float) -> str:
        return f"{_x(point.seconds, last):.1f},{_y(value, most):.1f}"

    drawn = list(_grid(last, most))
    for kind, curve in curves:
        if curve:
            outline = [
                *(at(point, point.high) for point in curve),
                *(at(point, point.low) for point in reversed(curve)),
            ]
            middle = " ".join(at(point, point.middle) for point in curve)
            drawn.append(f'<g class="{kind}"><polygon class="band" points="{" ".join(outline)}"/>')
            drawn.append(f'<polyline class="line" points="{middle}"/></g>')
    if limit is not None:
        y = _y(limit, most)
        drawn.append(f'<line class="quota" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    text = escape(caption)
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text}">{"".join(drawn)}</svg>'
    return f"<figure><figcaption>{text}</figcaption>{svg}</figure>"


def _x(at: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / last


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(value / most, 1.0)


def _grid(last: float, most: float) -> Iterator[str]:
    yield from _heights(most)
    for part in PARTS:
        anchor = "end" if part == 1.0 else "start" if part == 0.0 else "middle"
        yield _below(_x(last * part, last), _axis(last * part), anchor)


def _axis(at: float) -> str:
    """A time below a picture, of which a short one has four that differ."""
    return f"{at:.3g} s" if at < 10 else in_words(at)


def _heights(most: float) -> Iterator[str]:
    for part in PARTS:
        y = _y(most * part, most)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * part:,.0f}</text>'


def _below(x: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}">{text}</text>'
