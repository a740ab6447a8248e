"""Programs whose effect is that this very agent, or the machine, starts again.

Such a program is done once that has happened: whoever begins after it has the proof. Which ones these are, a document
says by `restarts`, or they are recognised by their words.
"""

from posixpath import basename


def restarts_what(command: tuple[str, ...], service: str) -> str:
    """`agent` for a command that restarts `service`, this agent's, and nothing else; `machine` for one that reboots.

    systemctl and service, reboot and shutdown -r, each also after sudo. What a shell would make of a line, nobody says.
    """
    words = [word for word in _without_sudo(command) if not word.startswith("-")]
    match [basename(words[0]), *words[1:]] if words else []:
        case ["reboot"] | ["systemctl", "reboot"]:
            return "machine"
        case ["shutdown", *_] if "-r" in command:
            return "machine"
        case ["systemctl", "restart" | "try-restart", unit] | ["service", unit, "restart"] if is_unit(unit, service):
            return "agent"
        case _:
            return ""


def _without_sudo(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command or basename(command[0]) != "sudo":
        return command
    rest = command[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in ("-u", "--user") else rest[1:]
    return rest


def is_unit(name: str, service: str) -> bool:
    """Whether both are the same service, be it with or without its ending."""
    return bool(service) and name.removesuffix(".service") == service.removesuffix(".service")
