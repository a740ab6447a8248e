"""How a test says which claims it proves: `@proves("claim-id")`, anywhere below `tests`."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from simulator.cloud.fidelity import CLAIMS

T = TypeVar("T", bound=Callable[..., object])
TESTS: Final = Path(__file__).parent.parent
KNOWN: Final = frozenset(claim.id for claim in CLAIMS)


def proves(*claim_ids: str) -> Callable[[T], T]:
    """Decorate a test with the claims that it proves, as literal strings."""
    unknown = [claim_id for claim_id in claim_ids if claim_id not in KNOWN]
    assert claim_ids, "name a claim"
    assert not unknown, f"no such claim in simulator.cloud.fidelity: {', '.join(unknown)}"
    return lambda test: test


@cache
def proofs() -> dict[str, list[str]]:
    """The tests that prove each claim, read from the source of all tests."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text("utf-8")
        if "proves(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for claim_id in _proven_by(node, path):
                    found.setdefault(claim_id, []).append(f"{path.relative_to(TESTS)}::{node.name}")
    return found


def _proven_by(node: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> list[str]:
    where = f"{path.name}: {node.name}"
    named: list[str] = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "proves":
            assert node.name.startswith("test_"), f"{where} proves a claim, but pytest does not run it"
            for argument in decorator.args:
                assert isinstance(argument, ast.Constant), f"{where}: name claims as literal strings"
                named.append(str(argument.value))
    if named:
        text = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
        assert "skip" not in text, f"{where} proves a claim, so it must not be skipped"
        assert "xfail" not in text, f"{where} proves a claim, so it must not fail"
    return named
