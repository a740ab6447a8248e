"""What is written down of samples, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from agent.errors import InputError
from simulator.certify.probes import Sample
from simulator.certify.probes.sample import Tell, unsampled
from simulator.certify.probes.sampling import MOST_A_SECOND
from simulator.trace import PROBE, read_line, write_line
from tests.simulator.certify.probes.bench import Kept, sampling_of

ONE, TWO = Sample(True, "1.0"), Sample(True, "2.0")
NEVER = 1e6


@dataclass
class Acted:
    """A probe that says what it is told to; `asked` counts how often."""

    says: Sample = ONE
    text: str = "cmd:it"
    announces: bool = False
    asked: int = 0
    tell: Tell | None = None
    is_closed: bool = False
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    during: Callable[[], None] = field(default=lambda: None)

    def watch(self, tell: Tell) -> None:
        self.tell = tell

    async def sample(self) -> Sample:
        self.asked += 1
        self.was_asked.set()
        self.during()
        return self.says

    async def close(self) -> None:
        self.is_closed = True

    def announce(self, sample: Sample) -> None:
        assert self.tell is not None
        self.says = sample
        self.tell(sample)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_only_changes_are_told_and_that_it_goes_on():
    kept, clock, probe = Kept(), Clock(), Acted()
    async with sampling_of([probe], kept, clock=clock, every_seconds=NEVER, keep_seconds=5) as sampling:
        follow = sampling._followed[0]
        for said, at in ((ONE, 100), (ONE, 101), (TWO, 102), (TWO, 106), (TWO, 107.5), (ONE, 108)):
            clock.now, probe.says = at, said
            await follow.ask()
    assert [(entry.at, entry.event.version) for entry in kept] == [  # type: ignore[union-attr]
        (100, "1.0"),
        (102, "2.0"),
        (107.5, "2.0"),
        (108, "1.0"),
    ]
    assert [sample.not_before for sample in kept.samples] == [None, 101, None, 107.5]


async def test_an_entry_says_how_long_the_sample_took_and_is_the_probes():
    kept, clock, probe = Kept(), Clock(), Acted()
    probe.during = lambda: setattr(clock, "now", clock.now + 0.25)
    async with sampling_of([probe], kept, clock=clock, every_seconds=NEVER) as sampling:
        await probe.was_asked.wait()
        await sampling.now()
    assert [(entry.source, entry.n) for entry in kept] == [(PROBE, 1), (PROBE, 2)]
    assert [sample.seconds for sample in kept.samples] == [0.25, 0.25]
    assert [read_line(write_line(entry)) for entry in kept] == kept


async def test_now_asks_anew_and_is_written_down():
    kept, probe = Kept(), Acted()
    async with sampling_of([probe], kept, every_seconds=NEVER) as sampling:
        await probe.was_asked.wait()
        probe.says = TWO
        assert await sampling.now() == TWO
        assert await sampling.now() == TWO
    assert kept.versions == ["1.0", "2.0", "2.0"]
    assert probe.is_closed


async def test_what_was_asked_before_a_change_was_told_does_not_take_it_back():
    kept, probe = Kept(), Acted()
    async with sampling_of([probe], kept, every_seconds=NEVER) as sampling:
        await probe.was_asked.wait()

        def told_meanwhile() -> None:
            assert probe.tell is not None
            probe.tell(TWO)

        probe.during = told_meanwhile
        assert await sampling.now() == TWO
    assert kept.versions == ["1.0", "2.0", "2.0"]


async def test_the_background_sees_what_nobody_asked_for():
    kept, probe = Kept(), Acted()
    async with sampling_of([probe], kept, every_seconds=0.001) as sampling:
        goes_on = asyncio.Event()

        def flip_and_flip_back() -> None:
            probe.says = TWO if probe.asked == 3 else ONE
            if probe.asked == 6:
                goes_on.set()

        probe.during = flip_and_flip_back
        await goes_on.wait()
        assert sampling.last == ONE
    assert kept.versions[:3] == ["1.0", "2.0", "1.0"]


async def test_who_announces_is_not_asked_in_vain():
    kept, probe = Kept(), Acted(announces=True, says=unsampled("nothing yet"))
    async with sampling_of([probe], kept, clock=Clock()) as sampling:
        probe.announce(ONE)
        probe.announce(ONE)
        assert await sampling.now() == ONE
    assert kept.versions == ["1.0"]
    assert not probe.asked


async def test_what_is_announced_again_stands_there_once_it_counts_and_says_since_when():
    kept, clock, probe = Kept(), Clock(), Acted(announces=True)
    async with sampling_of([probe], kept, clock=clock) as sampling:
        for at in (100, 101, 103):
            clock.now = at
            probe.announce(ONE)
        clock.now = 103.5
        await sampling.now()
        await sampling.now()
    assert [(entry.at, entry.event.seconds) for entry in kept] == [(100, 0), (103.5, 0.5)]  # type: ignore[union-attr]


async def test_of_a_device_that_says_too_much_the_last_is_told():
    kept, clock, probe = Kept(), Clock(), Acted(announces=True)
    async with sampling_of([probe], kept, clock=clock) as sampling:
        for number in range(10 * MOST_A_SECOND):
            probe.announce(Sample(True, str(number)))
        assert len(kept) == MOST_A_SECOND
        await sampling.now()
    assert kept.versions[-1] == str(10 * MOST_A_SECOND - 1)
    assert len(kept) == MOST_A_SECOND + 1


@pytest.mark.parametrize(
    ("said", "together"),
    [
        ((Sample(True, None), Sample(True, "1.0")), Sample(True, "1.0")),
        ((Sample(True, "2.0"), Sample(False, None, "gone")), Sample(False, "2.0", "b: gone")),
        ((unsampled("slow"), Sample(True, "1.0")), Sample(True, "1.0", "a: slow")),
        ((unsampled("slow"), unsampled("busy")), Sample(None, None, "a: slow; b: busy")),
    ],
)
async def test_what_several_probes_say_together(said: tuple[Sample, Sample], together: Sample):
    kept = Kept()
    probes = [Acted(sample, text) for sample, text in zip(said, "ab", strict=True)]
    async with sampling_of(probes, kept, every_seconds=NEVER) as sampling:
        assert await sampling.now() == together
        assert sampling.each == dict(zip("ab", said, strict=True))
        assert {entry.event.probe for entry in sampling.standing()} == {"a", "b"}  # type: ignore[union-attr]


async def test_until_waits_for_the_event_and_gives_up_with_what_it_has():
    probe = Acted(announces=True, says=ONE)
    async with sampling_of([probe], Kept()) as sampling:
        asyncio.get_running_loop().call_soon(probe.announce, TWO)
        assert await sampling.until(lambda sample: sample.version == "2.0", 20) == TWO
        assert await sampling.until(lambda sample: sample.version == "3.0", 0.01) == TWO


async def test_a_probe_that_fails_is_none_that_says_the_device_is_dead():
    def fail() -> None:
        raise ZeroDivisionError

    probe = Acted(during=fail)
    async with sampling_of([probe], Kept(), every_seconds=NEVER) as sampling:
        assert await sampling.now() == unsampled("the probe failed: ZeroDivisionError")


async def test_a_probe_that_cannot_begin_leaves_none_of_the_others_open():
    class Refuses(Acted):
        def watch(self, tell: Tell) -> None:
            raise InputError("not there")

    first = Acted()
    with pytest.raises(InputError, match="not there"):
        async with sampling_of([first, Refuses()], Kept()):
            pass
    assert first.is_closed
