"""The outcome in one sentence that a room can read from a projector: what, who, how. The rest stands below it."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from simulator.certify.certificate import Certificate
from simulator.page.english import begun, count
from simulator.verdict import Doubt, InvariantVerdict, Verdict, Violation

LONGEST: Final = 160
"""Characters of what is said of one thing, at most."""
POINTED: Final = re.compile(r"; see [^\s;]+|; and (?:\d+|one) more(?: findings?)?(?=;|$)")
"""Where to look for it, and how much more there is."""
QUOTED: Final = re.compile(r'[:,]?(?: with)? ?[{\[]["\s{](?:.*[}\]]|.*$)', re.DOTALL)
"""What a device sent, as JSON, up to where the last of it ends."""
ELLIPSIS: Final = "…"


def brief(text: str, longest: int = LONGEST) -> str:
    """Without where to look for it, and without raw payloads; of what is too long yet, its first clauses."""
    said = QUOTED.sub("", POINTED.sub("", text.strip())).strip().rstrip(" .:;,")
    if len(said) <= longest:
        return said
    clause = said[:longest].rpartition("; ")[0]
    if len(clause) > longest // 2:
        return clause
    whole_words = said[: longest - 1].rpartition(" ")[0] or said[: longest - 1]
    return whole_words.rstrip(" .:;,") + ELLIPSIS


def outcome_of_run(verdict: Verdict) -> str:
    """`Failed: no-ghost-work was violated by thing-1 and 3 more devices: started step 'switch' although …`"""
    return _ended(f"{begun(verdict.outcome)}: {_of_run(verdict)}")


def outcome_of_session(certificate: Certificate) -> str:
    """The certificate's sentence, without the packets that it quotes."""
    why = certificate.why
    for told in (told for cell in certificate.cells for told in cell.evidence):
        why = why.replace(f": {told.text} [{told.id}]", "").replace(f" [{told.id}]", "")
    return _ended(f"{begun(certificate.outcome)}: {brief(why)}")


def _of_run(verdict: Verdict) -> str:
    if verdict.outcome == "failed":
        return _found("was violated by", [(each, each.violations) for each in verdict.invariants]) or brief(verdict.why)
    if " is undecided of " in verdict.why:
        return _found("is undecided of", [(each, each.doubts) for each in verdict.invariants]) or brief(verdict.why)
    return brief(verdict.why)


def _found(what: str, found: Iterable[tuple[InvariantVerdict, Sequence[Violation | Doubt]]]) -> str | None:
    """Of the first invariant of which anything was found."""
    for invariant, those in found:
        if those:
            more = sum({each.thing: each.stands_for for each in those}.values()) - 1
            who = f"{those[0].thing} and {count(more, 'more device')}" if more else those[0].thing
            return f"{invariant.id} {what} {who}: {brief(those[0].message)}"
    return None


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(ELLIPSIS) else f"{sentence}."
