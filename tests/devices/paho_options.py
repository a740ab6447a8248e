"""What the paho device can be told: its flaws and designs, and its other options."""

import argparse

FLAWS = {
    "acts-on-the-list": "takes a notify without its job for proof, and drops it",
    "hears-no-end": "ignores an empty notify-next and other hints that its job is gone, and reports at the end only",
    "keeps-reporting": "goes on, and goes on reporting, after a report was rejected",
    "no-back-off": "repeats a request that was not answered, or was throttled, at once and without end",
    "exits-when-not-found": "ends its process on ResourceNotFound",
    "job-id-only": "knows an execution by its job id, and sends no expectedVersion",
    "waits-forever": "has no time-out for an answer",
    "blocks-the-network": "runs its network loop between steps only: while one runs nothing is heard and no ping sent",
    "reruns-after-restart": "does the job again after a restart, without asking whether it is still there",
    "subscribes-again": "subscribes to everything again before each request",
    "version-mismatch-fatal": "gives a job up when a report is refused with VersionMismatch",
    "drops-the-next-job": "drops what comes in while it cleans up, and looks for no work after that",
    "crashes-on-empty": "takes for granted that there is a next job when its own is gone",
    "never-resubscribes": "subscribes once, though its session is clean",
    "doubles": "does what every notify-next announces, also one that comes twice",
    "succeeds-gone": "reports SUCCEEDED for a job that is gone, and counts on it",
    "polls-too-fast": "asks for work, and after its work, twenty times a second",
}
DESIGNS = {
    "plain": "listens to notify and notify-next, reports its steps",
    "polls-only": "subscribes to no notification",
    "http-only": "asks over HTTPS; no MQTT at all",
    "no-steps": "reports IN_PROGRESS once and the end, and no step",
    "tokens-only": "subscribes to everything, and heeds answers to its own clientTokens only",
    "two-connections": "listens on one connection and asks on another",
    "slow": "takes its time: before it takes a job, and five times as long for each step",
}


def options_of(argv):
    """Raises SystemExit."""
    parser = argparse.ArgumentParser()
    for name in ("host", "thing"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    for name in ("ca", "cert", "key", "namespace", "second-client-id"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--flaw", choices=FLAWS)
    parser.add_argument("--design", choices=DESIGNS, default="plain")
    parser.add_argument("--session", choices=("persistent", "clean"), default="persistent")
    parser.add_argument("--step-seconds", type=float, default=1.0)
    parser.add_argument("--answer-seconds", type=float, default=5.0, help="how long an answer is waited for")
    parser.add_argument("--retry-seconds", type=float, default=1.0, help="before the first repetition; then doubled")
    parser.add_argument("--poll-seconds", type=float, default=3.0)
    parser.add_argument("--keepalive", type=int, default=30)
    parser.add_argument("--dir", default=".", help="its flash")
    parser.add_argument("--announce", action="store_true", help="its version on dut/THING/version")
    options = parser.parse_args(argv)
    if options.flaw == "never-resubscribes":
        options.session = "clean"
    return options
