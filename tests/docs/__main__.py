"""Writes what is generated in the pages and the README anew: `python -m tests.docs`, or only the parts that are named.

All of it takes some minutes, because the table of who breaks what plays everything; `python -m tests.docs --quick`
leaves that one out.
"""

import sys

from agent.log import configure

from .generated import SLOW, write

if __name__ == "__main__":
    configure("text", "critical")
    named = [argument for argument in sys.argv[1:] if argument != "--quick"]
    write(named, SLOW if "--quick" in sys.argv else ())
