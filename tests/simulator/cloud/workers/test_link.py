"""What the cloud and its workers say to each other comes as it was said, whatever pieces it comes in."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.cloud.workers.carried import Opening
from simulator.cloud.workers.link import HEAD, Link

things = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=200)), min_size=1, max_size=12
)


class Wire:
    """Takes what an end of a link writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def set_write_buffer_limits(self, high: int) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        pass


async def sent(said: list[tuple[int, int, bytes]]) -> list[bytes]:
    """The writes that it takes to say that."""
    wire, link = Wire(), Link(lambda *heard: None, lambda: None)
    link.connection_made(wire)  # type: ignore[arg-type]  # as much of a transport as is used
    for each in said:
        link.say(*each)
    link.close()
    return wire.written


@given(said=things, cuts=st.lists(st.integers(0, 3000), max_size=8))
async def test_things_come_whole_and_in_order(said, cuts):
    [raw] = await sent(said)
    heard: list[tuple[int, int, bytes]] = []
    link = Link(lambda *each: heard.append(each), lambda: None)
    ends = sorted({min(each, len(raw)) for each in cuts} | {len(raw)})
    for start, end in zip([0, *ends], ends, strict=False):
        link.data_received(raw[start:end])
    assert heard == said


async def test_a_fault_of_who_hears_one_thing_does_not_keep_the_next_from_being_heard(faults: list[str]):
    heard: list[int] = []

    def hear(kind: int, number: int, body: bytes) -> None:
        heard.append(number)
        if number == 1:
            raise ZeroDivisionError

    Link(hear, lambda: None).data_received(HEAD.pack(0, 1, 0) + HEAD.pack(0, 2, 0))
    assert heard == [1, 2]
    assert faults == ["carrying for clients"]


@given(
    st.builds(
        Opening,
        st.integers(0, 9),
        st.tuples(st.text(max_size=40), st.integers(0, 65535)),
        st.none() | st.binary(min_size=1, max_size=900),
        st.none() | st.text(max_size=20),
        st.none() | st.text(max_size=20),
    )
)
def test_an_opening_reads_back_as_it_was_said(opening: Opening):
    assert Opening.of(opening.packed()) == opening
