"""`python -m simulator.cli`: how ghostjob starts itself again in another process."""

from simulator.cli import main

main()
