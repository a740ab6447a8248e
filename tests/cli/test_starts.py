"""What a verb does not import before it needs it: most of a start's time goes into imports, and nobody gains by it."""

import subprocess
import sys

import pytest

RUN = "import sys\nfrom simulator.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass\n{then}"
TELL = "print('loaded', *sorted({name.partition('.')[0] for name in sys.modules}))"
READY = "import simulator.cli.cloud as verb\nverb._announce = lambda *_: (" + TELL + ", signal.raise_signal(2))"
CLOUD = ["cloud", "--api-port", "0", "--mqtt-port", "0"]


def loaded(program: str) -> set[str]:
    """The packages that a process has imported when it says so."""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("loaded ")]
    return set(line.split()[1:])


def test_a_cloud_without_certificates_has_no_client_of_aws_and_no_cryptography():
    found = loaded(f"import signal\n{READY}\n{RUN.format(arguments=CLOUD, then='')}")
    assert {"aiohttp", "pydantic", "simulator"} <= found
    clients = {"awscrt", "boto3", "botocore", "dateutil", "paho", "urllib3"}
    assert not found & (clients | {"cryptography"})


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        pytest.param(["--help"], {"aiohttp", "asyncio", "botocore", "rich", "structlog"}, id="help"),
        pytest.param(["agent", "--help"], {"aiohttp", "botocore", "rich", "structlog"}, id="agent --help"),
        pytest.param(["delete-job", "--help"], {"aiohttp", "boto3", "rich", "structlog"}, id="delete-job --help"),
        pytest.param(["schema", "verdict"], {"aiohttp", "botocore", "rich", "structlog"}, id="schema"),
        pytest.param(["explain", "no-ghost-work"], {"aiohttp", "botocore", "structlog"}, id="explain"),
        pytest.param(
            ["run", "delete-in-write", "--engine", "virtual", "--devices", "1"],
            {"aiohttp", "botocore", "cryptography", "paho", "structlog", "urllib3"},
            id="run in virtual time",
        ),
    ],
)
def test_a_verb_leaves_alone_what_only_others_need(arguments: list[str], needless: set[str]):
    found = loaded(RUN.format(arguments=arguments, then=TELL))
    assert "simulator" in found
    assert not found & needless
