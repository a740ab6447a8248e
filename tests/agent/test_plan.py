"""Job documents as plans: every kind of document, what is refused and why, and where the point of no return is."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from agent.core.record import Record, Work
from agent.plan import ALL_ACTIONS, Abilities, Layout, Plan, Step, Unusable, plan_of
from agent.records import read_record, write_record
from agent.values import ExecutionKey, JobDocument, details_text

CONFINED = Abilities(root="/var/lib/agent/files", scripts="/etc/agent/scripts")


def planned(document: object, abilities: Abilities = CONFINED) -> Plan:
    plan = plan_of(JobDocument.of(document), abilities)
    assert isinstance(plan, Plan), plan
    return plan


def refused(document: object, abilities: Abilities = CONFINED) -> str:
    plan = plan_of(JobDocument.of(document), abilities)
    assert isinstance(plan, Unusable), plan
    return plan.reason


def outline(plan: Plan) -> list[str]:
    """The steps by name; those past the point of no return in capitals."""
    return [step.name if step.reversible else step.name.upper() for step in plan.steps]


# ── our own documents ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("layout", "steps"),
    [
        pytest.param(
            "ab", ["download", "write", "switch", "reboot", "self-test", "COMMIT"], id="two slots: the commit"
        ),
        pytest.param("swap", ["download", "write", "switch", "reboot", "self-test", "COMMIT"], id="swap: the commit"),
        pytest.param("single", ["download", "WRITE", "REBOOT", "SELF-TEST"], id="one slot: the write"),
    ],
)
def test_the_point_of_no_return_of_an_update_is_where_the_flash_has_it(layout: Layout, steps: list[str]):
    plan = planned({"operation": "update", "version": "2.0"}, Abilities(layout))
    assert plan.version == "2.0"
    assert outline(plan) == steps


@pytest.mark.parametrize(
    ("document", "version", "steps", "args"),
    [
        pytest.param(
            {"operation": "update", "version": "2.0", "url": "https://x/fw", "sha256": "ab" * 32, "size": 9},
            "2.0",
            ["download", "write", "switch", "reboot", "self-test", "COMMIT"],
            {"sha256": "ab" * 32, "size": "9", "url": "https://x/fw", "version": "2.0"},
            id="update",
        ),
        pytest.param(
            {"operation": "configure", "to": "net.json", "content": "{}", "format": "json", "version": "7"},
            "",
            ["stage", "validate", "swap", "RESTART"],
            {"content": "{}", "to": "net.json", "version": "7"},
            id="configure",
        ),
        pytest.param(
            {"operation": "download", "url": "http://x/map", "to": "maps/map"},
            "",
            ["download"],
            {"to": "maps/map", "url": "http://x/map"},
            id="download",
        ),
        pytest.param(
            {"operation": "run", "command": ["echo", "a b"], "timeoutSeconds": 5},
            "",
            ["RUN"],
            {"command": '["echo", "a b"]', "timeout_seconds": "5"},
            id="run",
        ),
        pytest.param({"operation": "reboot"}, "", ["REBOOT"], {}, id="reboot"),
    ],
)
def test_our_own_documents(document: dict[str, Any], version: str, steps: list[str], args: dict[str, str]):
    plan = planned(document)
    assert plan.version == version
    assert outline(plan) == steps
    assert dict(plan.steps[0].args) == args


# ── AWS's: the Device Client's schema, its older one, and the managed templates ───────────────────────────────


def template(name: str, handler: str, *args: str, path: str = "", user: str = "") -> dict[str, Any]:
    """A managed template's document once its parameters are filled in; optional ones are then empty."""
    given: dict[str, Any] = {"handler": handler, "path": path}
    if args:
        given["args"] = list(args)
    return {"version": "1.0", "steps": [{"action": action(name, given, user=user)}]}


def action(name: str, given: dict[str, Any], *, type_: str = "runHandler", user: str = "") -> dict[str, Any]:
    return {"name": name, "type": type_, "input": given, "runAsUser": user}


@pytest.mark.parametrize(
    ("document", "step"),
    [
        pytest.param(
            template("Download-File", "download-file.sh", "https://x/y", "/var/lib/agent/files/y"),
            Step("Download-File", "download", (("to", "/var/lib/agent/files/y"), ("url", "https://x/y"))),
            id="AWS-Download-File",
        ),
        pytest.param(
            template("Install-Application", "install-packages.sh", "lftp dos2unix", user="root"),
            Step(
                "Install-Application",
                "run",
                (("args", '["lftp dos2unix"]'), ("handler", "install-packages.sh"), ("user", "root")),
                reversible=False,
            ),
            id="AWS-Install-Application",
        ),
        pytest.param(
            template("Remove-Application", "remove-packages.sh", "lftp"),
            Step("Remove-Application", "run", (("args", '["lftp"]'), ("handler", "remove-packages.sh")), False),
            id="AWS-Remove-Application",
        ),
        pytest.param(template("Reboot", "reboot.sh"), Step("Reboot", "reboot", (), False), id="AWS-Reboot"),
        pytest.param(
            template("Restart-Application", "restart-services.sh", "nginx"),
            Step("Restart-Application", "run", (("args", '["nginx"]'), ("handler", "restart-services.sh")), False),
            id="AWS-Restart-Application",
        ),
        pytest.param(
            template("Start-Application", "start-services.sh", "nginx", path="/etc/agent/scripts/"),
            Step(
                "Start-Application",
                "run",
                (("args", '["nginx"]'), ("handler", "start-services.sh"), ("path", "/etc/agent/scripts/")),
                False,
            ),
            id="AWS-Start-Application",
        ),
        pytest.param(
            template("Stop-Application", "stop-services.sh", "nginx", path="default"),
            Step("Stop-Application", "run", (("args", '["nginx"]'), ("handler", "stop-services.sh")), False),
            id="AWS-Stop-Application",
        ),
        pytest.param(
            {
                "version": "1.0",
                "steps": [
                    {"action": action("Run-Command", {"command": r"echo,a\,b,,c d"}, type_="runCommand", user="pi")}
                ],
            },
            Step("Run-Command", "run", (("command", '["echo", "a,b", "c d"]'), ("user", "pi")), False),
            id="AWS-Run-Command",
        ),
    ],
)
def test_the_managed_templates(document: dict[str, Any], step: Step):
    assert planned(document).steps == (step,)


SAMPLE = {
    "_comment": "as in the Device Client's README",
    "version": "1.0",
    "includeStdOut": True,
    "conditions": [],
    "steps": [
        {"action": action("Fetch", {"handler": "download-file.sh", "args": ["https://x/y", "y"], "path": "default"})},
        {
            "action": action("Install", {"handler": "install-packages.sh", "args": ["wget"]})
            | {"ignoreStepFailure": "true"}
        },
        {"action": action("Fetch", {"handler": "download-file.sh", "args": ["https://x/z", "z"]})},
    ],
    "finalStep": {"action": action("Remove", {"handler": "remove-packages.sh", "args": ["wget"]})},
}


def test_steps_run_in_order_the_final_one_last_and_nothing_is_undone_after_the_first_program():
    plan = planned(SAMPLE)
    assert outline(plan) == ["Fetch", "INSTALL", "FETCH (2)", "REMOVE"]
    install = dict(plan.steps[1].args)
    assert (install["ignore_failure"], install["stdout"]) == ("true", "true")


@pytest.mark.parametrize("stdout", [True, "true"], ids=["as the README has it", "as the code reads it"])
def test_both_forms_of_include_std_out_are_understood(stdout: object):
    assert dict(planned(SAMPLE | {"includeStdOut": stdout}).steps[1].args)["stdout"] == "true"


@pytest.mark.parametrize(
    ("document", "step"),
    [
        pytest.param(
            {"operation": "echo", "args": ["Hello world!"]},
            Step(
                "echo", "run", (("allow_stderr_lines", "0"), ("args", '["Hello world!"]'), ("handler", "echo")), False
            ),
            id="a program",
        ),
        pytest.param(
            {"operation": "install-packages.sh", "args": ["lftp"], "path": "default", "allowStdErr": 2},
            Step(
                "install-packages.sh",
                "run",
                (("allow_stderr_lines", "2"), ("args", '["lftp"]'), ("handler", "install-packages.sh")),
                False,
            ),
            id="a script that may complain",
        ),
        pytest.param(
            {"operation": "download-file.sh", "args": ["https://x/y", "y"], "path": "default"},
            Step("download-file.sh", "download", (("to", "y"), ("url", "https://x/y"))),
            id="a download, which can be undone",
        ),
        pytest.param({"operation": "reboot.sh"}, Step("reboot.sh", "reboot", (), False), id="a reboot"),
    ],
)
def test_the_older_schema_of_the_device_client(document: dict[str, Any], step: Step):
    assert planned(document).steps == (step,)


# ── what is refused, and what the reason says ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param([], "the job document is no JSON object", id="a list"),
        pytest.param(None, "the job document is no JSON object", id="null"),
        pytest.param({}, "the job document has neither an operation nor steps", id="nothing"),
        pytest.param({"operation": 3}, "the job document has neither an operation nor steps", id="a number"),
        pytest.param({"operation": "update"}, "version: needed, and not there", id="an update to nothing"),
        pytest.param(
            {"operation": "update", "version": "2.0; rm"}, "version: give 1 to 64 of letters", id="a strange version"
        ),
        pytest.param(
            {"operation": "update", "version": "2", "url": "file:///etc"}, "url: give a URL that begins", id="a file"
        ),
        pytest.param(
            {"operation": "update", "version": "2", "sha256": "x"}, "sha256: give 64 of a to f, digits", id="no hash"
        ),
        pytest.param({"operation": "run", "command": []}, "command: give at least 1 item", id="no command"),
        pytest.param({"operation": "run", "command": "ls"}, "command: give a list, not 'ls'", id="one string"),
        pytest.param({"operation": "two words"}, "operation: give 1 to 128 of letters", id="no name of a program"),
        pytest.param({"version": "2.0", "steps": []}, "version: give 1.0, not '2.0'", id="another schema version"),
        pytest.param({"version": "1.0", "steps": []}, "steps: give at least 1 item", id="no steps"),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {}, type_="runLambda")}]},
            "steps.0.action.type: give one of runHandler, runCommand, not 'runLambda'",
            id="an unknown type",
        ),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {})}]},
            "x: runHandler needs input.handler",
            id="a handler without a name",
        ),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {"handler": "../sh"})}]},
            "steps.0.action.input.handler: give 1 to 128 of letters",
            id="a handler outside",
        ),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {}, type_="runCommand")}]},
            "x: runCommand needs input.command",
            id="a command without words",
        ),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {"command": ","}, type_="runCommand")}]},
            "x: runCommand needs input.command",
            id="a command of nothing but commas",
        ),
        pytest.param(
            {"version": "1.0", "steps": [{"action": action("x", {"command": "rm -rf,/"}, type_="runCommand")}]},
            "x: the first word of input.command has a space in it",
            id="a command that is a line, and not words",
        ),
    ],
)
def test_an_invalid_document_is_refused_with_the_place_and_the_reason(document: object, reason: str):
    assert refused(document).startswith(reason)


def test_a_missing_document_is_refused():
    assert plan_of(None) == Unusable("the job document is missing")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "/var/lib/agent/files/../x",
        "/var/lib/agent/files",
        ".",
        "/var/lib/agent/filesystem",
    ],
)
@pytest.mark.parametrize("kind", ["configure", "download", "download-file.sh"])
def test_a_path_outside_the_root_is_refused(kind: str, name: str):
    documents: dict[str, dict[str, Any]] = {
        "configure": {"operation": "configure", "to": name, "content": ""},
        "download": {"operation": "download", "to": name, "url": "http://x/y"},
        "download-file.sh": template("Get", "download-file.sh", "http://x/y", name),
    }
    assert "not below the directory that documents may write to" in refused(documents[kind])


@pytest.mark.parametrize("name", ["x", "a/b", "a/../b", "/var/lib/agent/files/x", "./x", "..x"])
def test_a_path_below_the_root_is_accepted(name: str):
    (step,) = planned({"operation": "download", "to": name, "url": "http://x/y"}).steps
    assert dict(step.args)["to"] == name, "as it stands: the handler looks at what is really there"


@pytest.mark.parametrize("path", ["/bin", "..", "/etc/agent/scripts/sub"])
def test_a_script_from_elsewhere_is_refused(path: str):
    assert "not the directory that scripts may come from" in refused(template("x", "x.sh", path=path))


@pytest.mark.parametrize(
    ("document", "action"),
    [
        ({"operation": "update", "version": "2"}, "write"),
        ({"operation": "run", "command": ["ls"]}, "run"),
        ({"operation": "reboot"}, "reboot"),
        (template("x", "x.sh"), "run"),
        (template("x", "reboot.sh"), "reboot"),
        ({"operation": "configure", "to": "x", "content": ""}, "swap"),
    ],
)
def test_an_action_that_the_owner_does_not_allow_is_refused(document: dict[str, Any], action: str):
    assert f"this device does not allow '{action}'" in refused(document, Abilities(actions=ALL_ACTIONS - {action}))


# ── properties ────────────────────────────────────────────────────────────────────────────────────────────────

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["operation", "steps", "finalStep", "version", "command", "to", "url", "content", "args", "path", "action", "input"]
)
_VALUES = st.sampled_from(
    [
        "update",
        "configure",
        "download",
        "run",
        "reboot",
        "1.0",
        "http://x",
        "x.sh",
        "\ud800",
        "\x00\x1f\x85",
        "a" * 5000,
    ]
)
_LIKELY = st.dictionaries(_NAMES, _VALUES | _JSON | st.lists(st.dictionaries(_NAMES, _VALUES | _JSON, max_size=3)))


@given(_JSON | _LIKELY)
@example({"operation": "download", "to": "\u202e" * 2000, "url": "http://x"})
@example({"operation": "configure", "to": "\ud800", "content": ""})
@example({"version": "1.0", "steps": [{"action": {"name": "\x7f\u200b", "type": "runHandler", "input": {}}}]})
def test_no_document_does_harm_and_every_reason_fits_into_status_details(value: object):
    plan = plan_of(JobDocument.of(value), CONFINED)
    if isinstance(plan, Unusable):
        assert plan.reason == details_text(plan.reason)
        assert 0 < len(plan.reason) <= 1024
    else:
        assert plan.steps
        assert len({step.name for step in plan.steps}) == len(plan.steps)
        leap = next((index for index, step in enumerate(plan.steps) if not step.reversible), len(plan.steps))
        assert not any(step.reversible for step in plan.steps[leap:])
        record = Record(Work(ExecutionKey(None, "j", 1, 1), plan, "d", 0))
        assert read_record(write_record(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="nested without end"),
        pytest.param('{"operation":' + "9" * 5000 + "}", id="a number without end"),
        pytest.param('{"operation": NaN}', id="no number"),
        pytest.param("{", id="half a document"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_text_that_is_hardly_json_is_refused(text: str):
    assert isinstance(plan_of(JobDocument(text)), Unusable)


# ── what is undone, in words ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layout", ["ab", "single"])
def test_every_step_says_how_it_is_undone_or_that_it_cannot_be(layout: Layout):
    steps = [
        *planned({"operation": "update", "version": "2"}, Abilities(layout)).steps,
        *planned({"operation": "configure", "to": "x", "content": ""}).steps,
        *planned(SAMPLE).steps,
    ]
    for step in steps:
        assert (step.undoing == "it cannot be undone") is not step.reversible
        assert step.undoing
