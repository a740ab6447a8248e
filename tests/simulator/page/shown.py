"""What every page keeps, whatever it shows; and who follows the news of one."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from simulator.page.data import Found, PageData
from simulator.page.picture import Picture
from simulator.trace import Entry

PAGE = TypeAdapter(PageData)


def check(page: PageData) -> None:
    """That it is as its models say, every span ends after it began, and every entry that is named is there."""
    assert PageData.model_validate_json(page.model_dump_json(by_alias=True)) == page
    spans = [span for lane in page.lanes.values() for span in lane.spans]
    assert [span for span in spans if span.end is not None and span.end < span.start] == []
    for lane in page.lanes.values():
        assert [span.start for span in lane.spans] == sorted(span.start for span in lane.spans)
        assert [mark.at for mark in lane.marks] == sorted(mark.at for mark in lane.marks)
    assert set(named(page)) - set(page.entries) == set()
    assert len(page.story) <= 5
    for sentence in (page.sentence, *page.story):
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert " 1 devices" not in sentence


def named(page: PageData) -> Iterator[str]:
    """Every id of an entry that stands anywhere."""
    for lane in page.lanes.values():
        for each in (*lane.spans, *lane.marks):
            yield from each.events
    for instants in page.flash.values():
        yield from (event for each in instants for event in each.events)
    yield from (event for line in page.lines for event in line.events)
    if page.kind != "certify":
        for invariant in page.invariants:
            for found in (*invariant.violations, *invariant.doubts):
                yield from named_by(found)


def named_by(found: Found) -> Iterator[str]:
    """By what was found of one device."""
    yield from (event.id for event in found.events)
    yield from (arrow.id for arrow in found.diagram.arrows)


def applied(known: dict[str, Any], news: dict[str, Any]) -> None:
    """What the page in a browser does with news."""
    for path, value in news.items():
        name, dot, thing = path.partition(".")
        if path == "entries+":
            known["entries"] |= value
        elif path == "entries-":
            known["entries"] = {event: entry for event, entry in known["entries"].items() if event not in value}
        elif name.endswith("+"):
            of, at = (known[name[:-1]], thing) if dot else (known, name[:-1])
            of[at] = edited(of[at], value)
        elif dot:
            known[name][thing] = value
        else:
            known[path] = value


def edited(before: Any, edit: Any) -> Any:
    """A history, or a lane, with what came to it."""
    if isinstance(before, dict):
        return {"dropped": edit["dropped"]} | {part: edited(before[part], edit[part]) for part in ("spans", "marks")}
    left = [each for number, each in enumerate(before) if number not in edit["gone"]]
    return [edit["put"].get(str(number), each) for number, each in enumerate(left)] + edit["more"]


def news(picture: Picture) -> Any:
    """As they go to a browser."""
    return to_jsonable_python(picture.news(), by_alias=True)


def followed(picture: Picture, entries: Iterable[Entry], every: int, known: dict[str, Any] | None = None) -> Any:
    """What somebody has in the end who came at the beginning and took the news after `every` entries."""
    known = PAGE.dump_python(picture.whole(), mode="json", by_alias=True) if known is None else known
    for number, entry in enumerate(entries, 1):
        picture.feed(entry)
        if not number % every:
            applied(known, news(picture))
    applied(known, news(picture))
    return known


def dumped(picture: Picture) -> Any:
    """The whole, as it goes to a browser."""
    return PAGE.dump_python(picture.whole(), mode="json", by_alias=True)


def same(known: Any, whole: Any) -> None:
    """Who follows has what is there; of entries perhaps more."""
    assert whole["entries"].items() <= known["entries"].items()
    assert known | {"entries": whole["entries"]} == whole
