"""`python -m tests.power_cuts`: what the suite plays of the power-cut test; with `--all`, the whole product.

python -m tests.power_cuts --all --layout ab --moment "write half" --twice
python -m tests.power_cuts --all --part 1/2 & python -m tests.power_cuts --all --part 2/2
"""

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import chain, islice

from agent.log import configure
from tests.power_cuts.product import (
    LAYOUTS,
    NAMESPACES,
    Tally,
    deal_policies,
    exhaust_policies,
    failing_in_the_suite,
    moments,
    of_the_suite,
    settings,
)
from tests.power_cuts.world import Setting


def main() -> int:
    """Play, say on stderr how far it is, and print each failure and the sum."""
    parser = argparse.ArgumentParser(prog="python -m tests.power_cuts", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every setting, and the cuts before the deletion too")
    parser.add_argument("--twice", action="store_true", help="cut once more at every instant of each recovery")
    parser.add_argument("--layout", choices=LAYOUTS, action="append", help="only this one; may be given more than once")
    parser.add_argument("--moment", action="append", help=f"only this one, such as: {', '.join(moments('ab'))}")
    parser.add_argument(
        "--part", metavar="I/N", default="1/1", help="every Nth setting from the Ith on: for N processes"
    )
    asked = parser.parse_args()
    first, parts = (int(number) for number in asked.part.split("/"))
    if not 1 <= first <= parts:
        parser.error(f"--part {asked.part}: there are parts 1 to {parts}")
    configure("text", "critical")
    began, cuts, failures = time.process_time(), 0, 0
    mine = islice(_chosen(asked), first - 1, None, parts)
    for tally in chain.from_iterable(_tallies(asked, setting) for setting in mine):
        cuts, failures = cuts + tally.cuts, failures + len(tally.failures)
        spent = time.process_time() - began
        print(f"{cuts:7} cuts, {failures} bad, {spent:.0f} s: {tally.setting}", file=sys.stderr, flush=True)
        for failure in tally.failures:
            print(failure, flush=True)
    spent = time.process_time() - began
    print(
        f"{cuts} power cuts, {failures} not survived; {spent:.0f} s of CPU, {1000 * spent / max(cuts, 1):.1f} ms each"
    )
    return 1 if failures else 0


def _chosen(asked: argparse.Namespace) -> Iterator[Setting]:
    for layout in asked.layout or LAYOUTS:
        if not asked.all:
            failing = (setting for setting in failing_in_the_suite() if setting.layout == layout)
            chosen = chain(of_the_suite(layout), failing)
        else:
            chosen = chain.from_iterable(settings(layout, namespace) for namespace in NAMESPACES)
        yield from (setting for setting in chosen if not asked.moment or setting.moment in asked.moment)


def _tallies(asked: argparse.Namespace, setting: Setting) -> Iterator[Tally]:
    since_deletion = not (asked.all or setting.trouble)
    if asked.all or asked.twice:
        return exhaust_policies(setting, twice=asked.twice, since_deletion=since_deletion)
    return deal_policies(setting, since_deletion=since_deletion)


if __name__ == "__main__":
    sys.exit(main())
