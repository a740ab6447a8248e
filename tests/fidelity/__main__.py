"""Puts the summary of the claims, and what is not carried out, into the README: `python -m tests.fidelity`."""

from .readme import README, with_tables

README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
