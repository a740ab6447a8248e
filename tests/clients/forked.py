"""Many runs of one command that is a Python program: warmed up once, then forked for each, so that each is a process.

Starting the AWS CLI costs more than a second, most of it imports.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """
import gc, importlib, json, os, sys
{imports}

def call():
    {call}

read, write = os.pipe()
if not (child := os.fork()):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = [{name!r}, *{warm!r}]
    try:
        call()
    except SystemExit:
        os.write(write, " ".join(sys.modules).encode())
        os._exit(0)
os.close(write)
for name in os.fdopen(read).read().split():
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # a name that something has in sys.modules and nothing can import
os.waitpid(child, 0)
gc.collect()
gc.freeze()
gc.disable()
for line in sys.stdin:
    run = json.loads(line)
    child = os.fork()
    if not child:
        for number, path in enumerate(("/dev/null", run["stdout"], run["stderr"])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
        os.environ.update(run["environment"])
        sys.argv = [{name!r}, *run["arguments"]]
        try:
            call()
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)
        os._exit(99)  # a command ends by exiting
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str


class Forked:
    """A command's process, from which runs are forked; `call` runs it with `sys.argv`, and exits.

    A first run, with the arguments `warm`, shows which modules it imports on the way; all others find them there.
    """

    def __init__(self, command: list[str], name: str, imports: str, call: str, warm: list[str], scratch: Path) -> None:
        program = PROGRAM.format(imports=imports, name=name, call=call, warm=warm)
        self._process = subprocess.Popen(
            [*command, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._scratch = scratch
        self._runs = 0

    def run(self, arguments: list[str], environment: dict[str, str]) -> Done:
        assert self._process.stdin
        assert self._process.stdout
        self._runs += 1
        stdout, stderr = (self._scratch / f"{self._runs}.{name}" for name in ("stdout", "stderr"))
        told = {"arguments": arguments, "environment": environment, "stdout": str(stdout), "stderr": str(stderr)}
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Done(code, stdout.read_text("utf-8"), stderr.read_text("utf-8"))

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait() == 0


def aws_cli(aws: str, *command: str) -> tuple[list[str], str, str, str]:
    """What `Forked` needs for the AWS CLI that is installed as `aws`, and for one command of it if there is one."""
    interpreter = Path(aws).read_text("utf-8").partition("\n")[0].removeprefix("#!").split()
    run = f"sys.argv[1:1] = {list(command)!r}; sys.exit(awscli.clidriver.main())"
    return interpreter, aws, "import awscli.clidriver", run
