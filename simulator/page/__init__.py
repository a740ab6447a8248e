"""One page, two lives: the report that stands beside a trace, and the same live in a browser while it happens.

    entries of the trace ──► Picture ──► PageData ──► offline.py: one file
    verdict, certificate ──►                   └────► a browser, in pieces

All that the page shows is in `data.PageData`, and nothing else comes to it.
"""
