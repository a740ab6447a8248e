"""The job templates that AWS manages (Developer Guide, "Managed template remote actions and job documents")."""

import json
import re
from dataclasses import dataclass
from typing import Final

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Parameters

VERSION: Final = "1.0"
_PLACEHOLDER: Final = re.compile(r"\$\{aws:iot:parameter:([a-zA-Z0-9_-]+)\}")


@dataclass(frozen=True, slots=True)
class DocumentParameter:
    """Something that a template's document leaves open."""

    key: str
    description: str
    regex: str
    example: str
    optional: bool = False

    def shown(self) -> Parameters:
        """As DescribeManagedJobTemplate tells it."""
        return {
            "key": self.key,
            "description": self.description,
            "regex": self.regex,
            "example": self.example,
            "optional": self.optional,
        }


@dataclass(frozen=True, slots=True)
class ManagedTemplate:
    """One template; all are for Linux, and have one version."""

    name: str
    description: str
    parameters: tuple[DocumentParameter, ...]
    document: str

    def filled(self, given: dict[str, str]) -> str:
        """The document with parameters in their places; of an optional one that is not given, nothing. Raises ApiError.

        What AWS leaves in the place of those is not documented.
        """
        known = {parameter.key for parameter in self.parameters}
        if unknown := sorted(given.keys() - known):
            raise invalid(f"documentParameters: {self.name} has no parameter {unknown[0]}.")
        for parameter in self.parameters:
            if parameter.key not in given and not parameter.optional:
                raise invalid(f"documentParameters: {self.name} needs {parameter.key}.")
            if parameter.key in given and not re.fullmatch(parameter.regex, given[parameter.key], re.DOTALL):
                raise invalid(f"documentParameters: {parameter.key} must match {parameter.regex}.")
        return _PLACEHOLDER.sub(
            lambda found: json.dumps(given.get(found[1], ""), ensure_ascii=False)[1:-1], self.document
        )


_RUN_AS: Final = DocumentParameter(
    "runAsUser",
    "Execute handler as another user. If not specified, then handler is executed as the same user as device client.",
    "(.){0,256}",
    "user1",
    True,
)
_PATH: Final = DocumentParameter(
    "pathToHandler",
    "Path to handler on the device. If not specified, then device client will use the current working directory.",
    "(.){0,4096}",
    "/path/to/handler/script",
    True,
)


def _handler_template(
    action: str, description: str, handler: str, *parameters: DocumentParameter
) -> tuple[str, ManagedTemplate]:
    arguments = [f"${{aws:iot:parameter:{parameter.key}}}" for parameter in parameters]
    told: dict[str, object] = {"handler": handler} | ({"args": arguments} if arguments else {})
    told["path"] = "${aws:iot:parameter:pathToHandler}"
    document = _document(action, "runHandler", told)
    return f"AWS-{action}", ManagedTemplate(f"AWS-{action}", description, (*parameters, _RUN_AS, _PATH), document)


def _document(action: str, kind: str, told: dict[str, object]) -> str:
    step = {"action": {"name": action, "type": kind, "input": told, "runAsUser": "${aws:iot:parameter:runAsUser}"}}
    return json.dumps({"version": VERSION, "steps": [step]}, separators=(",", ":"))


def _list(key: str, what: str) -> DocumentParameter:
    return DocumentParameter(key, f"Space separated list of {what}.", "(.*?)", f"{key[:-1]}1 {key[:-1]}2")


_COMMAND: Final = DocumentParameter(
    "command",
    "A comma separated string of command. Any comma contained in the command itself must be escaped.",
    "(.*?)",
    "echo,hello",
)

MANAGED: Final[dict[str, ManagedTemplate]] = dict(
    (
        _handler_template(
            "Download-File",
            "A managed job template for downloading a file.",
            "download-file.sh",
            DocumentParameter("downloadUrl", "URL of file to download.", "(.*?)", "http://www.example.com/index.html"),
            DocumentParameter(
                "filePath", "Path on the device where downloaded file is written.", "(.*?)", "/path/to/file"
            ),
        ),
        _handler_template(
            "Install-Application",
            "A managed job template for installing one or more applications.",
            "install-packages.sh",
            _list("packages", "packages to install"),
        ),
        _handler_template("Reboot", "A managed job template for rebooting the device.", "reboot.sh"),
        _handler_template(
            "Remove-Application",
            "A managed job template for uninstalling one or more applications.",
            "remove-packages.sh",
            _list("packages", "packages to uninstall"),
        ),
        _handler_template(
            "Restart-Application",
            "A managed job template for restarting one or more system services.",
            "restart-services.sh",
            _list("services", "services to restart"),
        ),
        (
            "AWS-Run-Command",
            ManagedTemplate(
                "AWS-Run-Command",
                "A managed job template for running a shell command.",
                (_COMMAND, _RUN_AS),
                _document("Run-Command", "runCommand", {"command": "${aws:iot:parameter:command}"}),
            ),
        ),
        _handler_template(
            "Start-Application",
            "A managed job template for starting one or more system services.",
            "start-services.sh",
            _list("services", "services to start"),
        ),
        _handler_template(
            "Stop-Application",
            "A managed job template for stopping one or more system services.",
            "stop-services.sh",
            _list("services", "services to stop"),
        ),
    )
)
