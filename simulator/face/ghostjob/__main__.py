"""`python -m ghostjob`, and the command `ghostjob`: the command line, with ghostjob's own packages."""

import runpy

from ghostjob._process import ENTRY


def main() -> None:
    """Run it in this process."""
    runpy.run_path(str(ENTRY), run_name="__main__")


if __name__ == "__main__":
    main()
