"""A picture whose faults cost nothing but the page: it lies in a play's own way, and no play may end by it.

After a fault of ghostjob's own nothing more is folded or drawn, and the page says so. Who looks still has what was
shown by then, who comes later that sentence; in the end all have the outcome, which is the judge's, not the page's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from simulator.certify.certificate import Certificate
from simulator.own_fault import TO_REPORT, in_words
from simulator.page.brief import outcome_of_run, outcome_of_session
from simulator.page.data import Kind, PageData, State
from simulator.page.picture import Picture
from simulator.verdict import Verdict

SENTENCE: Final = "The page stopped here: ghostjob itself failed while drawing it. All else goes on."
STORY: Final = "What is drawn is not all that happened: ghostjob itself failed while drawing it, by {}."


class ContainedPicture(Picture):
    """`tell` hears of the first fault, in a sentence. Only `drawn` raises."""

    def __init__(self, title: str, about: str, kind: Kind, tell: Callable[[str], None] = lambda sentence: None) -> None:
        super().__init__(title, about, kind)
        self._tell = tell
        self._fault: str | None = None
        """What kept it from being drawn on."""
        self._lost: Exception | None = None
        """Why not all that came could be folded: then it cannot be drawn any more at all."""
        self._outcome: tuple[State, str] | None = None
        """The last word, and its sentence."""

    @property
    def has_stopped(self) -> bool:
        """Whether nothing more is drawn."""
        return self._fault is not None

    @contextmanager
    def contained(self) -> Iterator[None]:
        """What fails in here costs the page alone."""
        try:
            yield
        except Exception as error:  # whatever it is: what is played goes on
            self._stop(error)

    def _stop(self, error: Exception) -> None:
        if self._fault is None:
            self._fault = in_words(error, "drawing the page")
            self._tell(f"the page stopped, as ghostjob itself failed: {self._fault}; all else goes on; {TO_REPORT}")

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────

    def _fold(self) -> None:
        if self._lost is not None:
            self._came.clear()
            return
        try:
            super()._fold()
        except Exception as error:  # whatever it is: who feeds it plays on
            self._lost = error
            self._stop(error)

    def _settle(self) -> None:
        """Raises what kept it from being folded."""
        super()._settle()
        if self._lost is not None:
            raise self._lost

    def judged(self, verdict: Verdict, final: bool) -> None:
        """See Picture."""
        if final:
            self._outcome = verdict.outcome, verdict.why
        with self.contained():
            if final:
                self._outcome = verdict.outcome, outcome_of_run(verdict)
            if self._fault is None:
                super().judged(verdict, final)

    def certified(self, certificate: Certificate, final: bool = True) -> None:
        """See Picture."""
        if final:
            self._outcome = certificate.outcome, certificate.why
        with self.contained():
            if final:
                self._outcome = certificate.outcome, outcome_of_session(certificate)
            super().certified(certificate, final)

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_final(self) -> bool:
        """See Picture."""
        return self._outcome is not None or super().is_final

    def drawn(self) -> PageData:
        """All of it, for a report, also if the live page has stopped. Raises whatever goes wrong."""
        return super().whole()

    def whole(self) -> PageData:
        """See Picture; if it has stopped, that it has."""
        if self._fault is None:
            with self.contained():
                return super().whole()
        return PageData(kind=self._kind, title=self._title, about=self._about, **self._stopped())

    def drawing(self) -> Iterator[None]:
        """See Picture."""
        if self._fault is None:
            with self.contained():
                yield from super().drawing()

    def news(self) -> dict[str, object]:
        """See Picture; if it has stopped, that it has."""
        if self._fault is None:
            with self.contained():
                return super().news()
        return {path: value for path, value in self._stopped().items() if self._is_new(path, value)}

    def _stopped(self) -> dict[str, Any]:
        state, sentence = self._outcome or ("undrawn", SENTENCE)
        is_over = self._outcome is not None or self._is_over
        return {
            "state": state,
            "sentence": sentence,
            "why": "",
            "story": (STORY.format(self._fault),),
            "is_over": is_over,
            "controls": self._offered,
        }
