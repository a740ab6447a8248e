"""A certificate as JUnit's XML: one suite for the session, one case for each cell."""

from collections.abc import Iterator

from simulator.certify.certificate import CellResult, Certificate, came_back, explained
from simulator.certify.evidence import lines
from simulator.report.junit import Case, Result, Suite, xml


def junit_xml(certificate: Certificate) -> str:
    """The text of `junit.xml`. A device that was not met, or that was bricked, is a case of its own."""
    return xml(
        Suite(
            f"ghostjob certify {certificate.thing}",
            f"ghostjob.certify.{certificate.thing}",
            certificate.seconds,
            [*_not_met(certificate), *map(_case, certificate.cells), *_bricked(certificate)],
            [(name, value) for name, value in _properties(certificate) if value],
            certificate.started_at,
        )
    )


def _properties(certificate: Certificate) -> Iterator[tuple[str, str]]:
    yield "ghostjob.version", certificate.version
    yield "thing", certificate.thing
    yield "namespace", certificate.namespace_id or ""
    yield "outcome", certificate.outcome
    yield "why", certificate.why
    yield "seed", "" if certificate.seed is None else str(certificate.seed)
    yield "device-share", f"{certificate.device_share:.2f}"
    for probe in certificate.probes:
        yield "probe", probe
    for invariant, why in certificate.not_seen.items():
        yield f"not-seen.{invariant}", why


def _case(cell: CellResult) -> Case:
    kind = next((each.id for each in cell.invariants if each.outcome == "violated"), cell.outcome)
    text = "\n".join((cell.why, *lines(cell.evidence), *_afterwards(cell)))
    return Case(cell.id, cell.outcome, cell.seconds, kind, cell.why, text, f"shows: {cell.shows}\n{_judged(cell)}")


def _judged(cell: CellResult) -> str:
    return "\n".join(f"{each.id}: {each.outcome}, opportunities: {each.opportunities}" for each in cell.invariants)


def _afterwards(cell: CellResult) -> Iterator[str]:
    if told := came_back(cell):
        yield told
    yield from explained(cell)
    if cell.directory is not None:
        yield f"all of it: ghostjob trace {cell.directory}"


def _not_met(certificate: Certificate) -> Iterator[Case]:
    if (missing := certificate.not_met) is not None:
        text = "\n".join((missing.why, *lines(missing.evidence)))
        result: Result = "failed" if missing.failed else "inconclusive"
        yield Case("the first job, undisturbed", result, 0.0, "first-job", missing.why, text)


def _bricked(certificate: Certificate) -> Iterator[Case]:
    if (bricked := certificate.bricked) is not None:
        text = "\n".join((bricked.why, *lines(bricked.evidence)))
        yield Case(f"back to work after {bricked.cell}", "failed", 0.0, "bricked", bricked.why, text)
