"""Job documents as plans: every kind of document, what is refused and why, and where the point of no return is."""

import json
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from agent.abilities import ALL_ACTIONS, Abilities, Layout
from agent.causes import Cause
from agent.core.record import Record, Work
from agent.documents import plan_of
from agent.plan import Plan, Step, Unusable
from agent.record_json import read_record, write_record
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
            Step(
                "Stop-Application",
                "run",
                (("args", '["nginx"]'), ("handler", "stop-services.sh"), ("path", "/etc/agent/scripts")),
                False,
            ),
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
            Step("echo", "run", (("args", '["Hello world!"]'), ("handler", "echo")), False),
            id="a program",
        ),
        pytest.param(
            {"operation": "install-packages.sh", "args": ["lftp"], "path": "default", "allowStdErr": 2},
            Step(
                "install-packages.sh",
                "run",
                (
                    ("allow_stderr_lines", "2"),
                    ("args", '["lftp"]'),
                    ("handler", "install-packages.sh"),
                    ("path", "/etc/agent/scripts"),
                ),
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
        pytest.param({"operation": "a/b"}, "a/b: handler a/b: no name of a program", id="no name of a program"),
        pytest.param({"operation": ""}, "operation: give 1 character or more", id="no operation"),
        pytest.param({"version": "2.0", "steps": []}, "version: give 1.0, not '2.0'", id="another schema version"),
        pytest.param({"version": "1.0", "steps": []}, "steps: a list of at least one step", id="no steps"),
        pytest.param({"version": "1.0", "operation": "x"}, "steps: a list of at least one step", id="the newer schema"),
        pytest.param(
            {"version": 1.0, "steps": []}, 'version: where there are steps, it is the text "1.0"', id="number"
        ),
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
            "x: handler ../sh: no name of a program; where it lies, `path` says",
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
    plan = plan_of(JobDocument.of(document), CONFINED)
    assert isinstance(plan, Unusable)
    assert plan.reason.startswith(reason)
    assert plan.cause is Cause.MALFORMED_DOCUMENT


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
    plan = plan_of(JobDocument.of(document), Abilities(actions=ALL_ACTIONS - {action}))
    assert isinstance(plan, Unusable)
    assert f"this device does not allow '{action}'" in plan.reason
    assert plan.cause is Cause.NOT_ALLOWED


# ── what the Device Client's parser takes for absent ──────────────────────────────────────────────────────────


def handler_step(**members: object) -> dict[str, Any]:
    """A document of one step, with these members of its action, or of the action's input."""
    given = {name: members.pop(name) for name in ("handler", "args", "path") if name in members}
    return {"version": "1.0", "steps": [{"action": action("x", {"handler": "x.sh", **given}) | members}]}


@pytest.mark.parametrize(
    ("document", "args", "ignored"),
    [
        pytest.param(handler_step(args=None), {}, (), id="args: null"),
        pytest.param(handler_step(args="one"), {}, ("args",), id="args: a text"),
        pytest.param(
            handler_step(args=[1, "b", None]), {"args": '["", "b", ""]'}, ("args",), id="args: words of others"
        ),
        pytest.param(handler_step(path=None), {}, (), id="path: null"),
        pytest.param(handler_step(path=3), {}, ("path",), id="path: a number"),
        pytest.param(handler_step(path="default"), {"path": CONFINED.scripts}, (), id="path: default"),
        pytest.param(handler_step(runAsUser=None), {}, (), id="runAsUser: null"),
        pytest.param(handler_step(runAsUser=0), {}, ("runAsUser",), id="runAsUser: a number"),
        pytest.param(handler_step(ignoreStepFailure="true"), {"ignore_failure": "true"}, (), id="ignoreStepFailure"),
        pytest.param(handler_step(ignoreStepFailure="yes"), {}, (), id="ignoreStepFailure: another text"),
        pytest.param(handler_step(ignoreStepFailure=True), {}, ("ignoreStepFailure",), id="ignoreStepFailure: a bool"),
        pytest.param(handler_step(allowStdErr=8), {"allow_stderr_lines": "8"}, (), id="allowStdErr"),
        pytest.param(handler_step(allowStdErr=8.0), {"allow_stderr_lines": "8"}, (), id="allowStdErr: 8.0"),
        pytest.param(handler_step(allowStdErr="8"), {}, ("allowStdErr",), id="allowStdErr: a text"),
        pytest.param(handler_step(allowStdErr=True), {}, ("allowStdErr",), id="allowStdErr: a bool"),
        pytest.param(handler_step(allowStdErr=8.5), {}, ("allowStdErr",), id="allowStdErr: half a line"),
        pytest.param(handler_step(colour="red"), {}, ("colour",), id="a member that nobody reads"),
        pytest.param(handler_step() | {"includeStdOut": None}, {}, (), id="includeStdOut: null"),
        pytest.param(handler_step() | {"includeStdOut": 1}, {}, ("includeStdOut",), id="includeStdOut: a number"),
        pytest.param(handler_step() | {"includeStdOut": False}, {}, (), id="includeStdOut: false"),
        pytest.param(handler_step() | {"finalStep": None}, {}, (), id="finalStep: null"),
        pytest.param(handler_step() | {"finalStep": {}}, {}, ("finalStep",), id="finalStep: without an action"),
        pytest.param(handler_step() | {"conditions": None}, {}, (), id="conditions: null"),
        pytest.param(handler_step() | {"_comment": "x"}, {}, (), id="a comment"),
        pytest.param({"operation": "x.sh", "version": None}, {}, (), id="version: null is the older schema"),
        pytest.param({"operation": "x.sh", "version": 2}, {}, ("version",), id="so is a number"),
        pytest.param({"operation": "x.sh", "args": {"a": 1}}, {}, ("args",), id="older, args: an object"),
        pytest.param({"operation": "x.sh", "allowStdErr": "2"}, {}, ("allowStdErr",), id="older, allowStdErr: a text"),
        pytest.param({"operation": "x.sh", "steps": []}, {}, ("steps",), id="older, with steps"),
    ],
)
def test_a_member_that_is_null_or_of_another_type_counts_as_absent(
    document: dict[str, Any], args: dict[str, str], ignored: tuple[str, ...]
):
    plan = planned(document)
    assert [dict(step.args) for step in plan.steps] == [{"args": "[]", "handler": "x.sh"} | args]
    assert plan.ignored == ignored


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"name": None}, id="no name"),
        pytest.param({"name": 3}, id="a number for a name"),
        pytest.param({"type": None}, id="no type"),
        pytest.param({"input": None}, id="no input"),
        pytest.param({"input": "x.sh"}, id="a text for an input"),
    ],
)
def test_what_that_client_cannot_do_without_it_may_not_be_without_here_either(members: dict[str, object]):
    document = {"version": "1.0", "steps": [{"action": action("x", {"handler": "x.sh"}) | members}]}
    assert plan_of(JobDocument.of(document), CONFINED).cause is Cause.MALFORMED_DOCUMENT  # type: ignore[union-attr]


def test_a_step_without_an_action_is_no_step():
    steps = [{}, {"action": None}, 3, {"action": action("x", {"handler": "x.sh"})}]
    plan = planned({"version": "1.0", "steps": steps})
    assert [step.name for step in plan.steps] == ["x"]
    assert plan.ignored == ("steps",)


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────

DEBIAN = Abilities(systems=("linux", "debian"))


def condition(**members: object) -> dict[str, object]:
    return {"key": "operatingSystem", "value": ["ubuntu", "Debian"], "type": "stringEqual"} | members


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        pytest.param([], "", id="none"),
        pytest.param([condition()], "", id="one of the values is this one's"),
        pytest.param([condition(value=["LINUX"])], "", id="the kernel's name is one too"),
        pytest.param([condition(type=None)], "", id="stringEqual goes without saying"),
        pytest.param(
            [condition(), condition(value=["windows"])],
            "operatingSystem: for windows, and this is linux, debian",
            id="each must hold",
        ),
        pytest.param([condition(value=[3])], "for nobody", id="a value that is no text"),
        pytest.param([condition(type="stringLike")], "cannot judge the type 'stringLike'", id="another type"),
        pytest.param([condition(key="deviceClientVersion")], "this device cannot judge it", id="another key"),
        pytest.param([condition(key=None)], "one without a key", id="no key"),
        pytest.param([condition(value="debian")], "or without a list of values", id="a value that is no list"),
        pytest.param([3], "one without a key", id="no condition"),
        pytest.param({"key": "operatingSystem"}, "no list of conditions", id="no list"),
    ],
)
@pytest.mark.parametrize("document", [handler_step(), {"operation": "x.sh"}, {"operation": "reboot"}])
def test_a_document_is_for_devices_of_which_its_conditions_hold(
    document: dict[str, Any], conditions: object, says: str
):
    plan = plan_of(JobDocument.of(document | {"conditions": conditions}), DEBIAN)
    if says:
        assert isinstance(plan, Unusable)
        assert plan.reason.startswith("conditions: ")
        assert says in plan.reason
        assert plan.cause is Cause.CONDITION_NOT_MET
    else:
        assert isinstance(plan, Plan)


def test_of_a_device_that_does_not_say_what_it_runs_no_condition_holds():
    assert "this is not known here" in refused(handler_step() | {"conditions": [condition()]})


# ── programs that restart the agent or the machine ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("command", "restarts"),
    [
        ("systemctl restart ghost", "agent"),
        ("systemctl --no-block restart ghost.service", "agent"),
        ("/bin/systemctl try-restart ghost", "agent"),
        ("sudo -n -u root systemctl restart ghost", "agent"),
        ("service ghost restart", "agent"),
        ("systemctl restart nginx", ""),
        ("systemctl restart nginx ghost", ""),
        ("systemctl stop ghost", ""),
        ("reboot", "machine"),
        ("systemctl reboot", "machine"),
        ("shutdown -r now", "machine"),
        ("shutdown now", ""),
        ("sudo", ""),
        ("true", ""),
    ],
)
def test_a_command_that_restarts_the_agent_or_the_machine_is_known_by_its_words(command: str, restarts: str):
    words, abilities = command.split(), replace(CONFINED, service="ghost.service")
    (run,) = planned({"operation": "run", "command": words}, abilities).steps
    step = action("x", {"command": ",".join(words)}, type_="runCommand")
    (templates,) = planned({"version": "1.0", "steps": [{"action": step}]}, abilities).steps
    assert (run.restarts, templates.restarts) == (restarts, restarts)
    (unknown,) = planned({"operation": "run", "command": words}).steps
    assert unknown.restarts == (restarts if restarts != "agent" else "")


def test_a_document_may_say_so_of_any_other_program():
    (step,) = planned({"operation": "run", "command": ["/etc/init.d/S99ghost", "restart"], "restarts": "agent"}).steps
    assert step.restarts == "agent"


@pytest.mark.parametrize(
    ("services", "steps"),
    [
        (["ghost"], [("ghost", "agent")]),
        (["nginx ghost cron"], [("nginx cron", ""), ("ghost", "agent")]),
        (["ghost.service", "nginx"], [("nginx", ""), ("ghost", "agent")]),
        (["nginx"], [("nginx", "")]),
    ],
)
def test_restarting_several_services_the_agents_own_comes_last_and_by_itself(
    services: list[str], steps: list[tuple[str, str]]
):
    document = template("Restart-Application", "restart-services.sh", *services)
    plan = planned(document, replace(CONFINED, service="ghost"))
    assert [(json.loads(dict(step.args)["args"])[0], step.restarts) for step in plan.steps] == steps


def test_a_restart_after_a_change_of_configuration_may_be_the_agents_own():
    document = {"operation": "configure", "to": "x", "content": ""}
    steps = planned(document, replace(CONFINED, restart_is_ours=True)).steps
    assert [step.restarts for step in steps] == ["", "", "", "agent"]


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
@example({"operation": "update", "version": "1.0"})
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
        by = [step.action for step in plan.steps if step.action in ("write", "commit") and not step.reversible]
        assert bool(by) is bool(plan.version), "whoever restarts goes by that: only these make a version stay"
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
