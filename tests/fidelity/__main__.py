"""Puts the summary of the claims into the README: `python -m tests.fidelity`."""

from .readme import README, with_summary

README.write_text(with_summary(README.read_text("utf-8")), "utf-8")
