"""What `import ghostjob` gives, and what it costs whoever imports it."""

import doctest
import inspect
import json
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import ghostjob
from ghostjob import certification
from ghostjob._play import PLAYED
from ghostjob._process import BAD_INPUT
from simulator.exit_codes import OF_OUTCOME, ExitCode
from simulator.schemas import shipped

MODULES = [import_module(name) for name in ("ghostjob", "ghostjob._play", "ghostjob._result", "ghostjob._cloud")]
EXAMPLES = [
    example
    for module in MODULES
    for example in doctest.DocTestFinder(exclude_empty=True).find(module)
    if example.examples
]
PAGE = Path(files("simulator.docs") / "python.md")
EXAMPLES.append(
    doctest.DocTestParser().get_doctest(PAGE.read_text("utf-8").replace("```", ""), {}, "page", str(PAGE), 0)
)


def test_there_are_thirteen_names_at_most_and_each_is_documented():
    assert sorted(ghostjob.__all__) == ghostjob.__all__
    assert len(ghostjob.__all__) <= 13
    for name in ghostjob.__all__:
        named = getattr(ghostjob, name)
        assert named.__doc__, name
        assert len(inspect.getdoc(named) or "") > 20, name


def test_what_certifying_gives_has_a_module_of_its_own():
    assert sorted(certification.__all__) == certification.__all__
    for name in certification.__all__:
        assert len(inspect.getdoc(getattr(certification, name)) or "") > 20, name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: str(each.name))
def test_examples_run(example: doctest.DocTest):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_everything_that_does_something_has_an_example():
    shown = {example.name.rpartition(".")[2] for example in EXAMPLES}
    assert shown >= {"ghostjob", "play", "play_async", "Result", "LocalCloud"}


def test_it_imports_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import ghostjob; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - set(sys.stdlib_module_names) == {"ghostjob"}


def test_it_knows_the_exit_codes_of_the_command():
    assert ExitCode.BAD_INPUT == BAD_INPUT
    assert set(OF_OUTCOME.values()) == set(PLAYED)


def properties(schema: dict[str, Any], name: str | None = None) -> set[str]:
    return set((schema["$defs"][name] if name else schema)["properties"])


def test_a_verdict_has_every_member_that_the_file_has():
    schema = json.loads(shipped("verdict"))
    assert {each.name for each in fields(ghostjob.Verdict)} == properties(schema)
    assert set(ghostjob.Invariant._fields) == properties(schema, "InvariantVerdict")
    assert set(ghostjob.Violation._fields) == properties(schema, "Violation") == properties(schema, "Doubt")
