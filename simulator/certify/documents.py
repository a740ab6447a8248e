"""The job documents that a device under test is given: A, B, A, B…, so that each job asks for something else.

    nothing given          {"operation": "update", "version": "1.0.7"}, a version that never was before
    --document FILE        JSON or YAML. What stands in it is sent as it is, but for
                             {version}          the version, A's or B's in turn
                             {url}              a presigned URL of the artifact, filled in when it is delivered
                             {sha256} {size}    of the artifact
                           Two documents in one file, with `---` between, are A and B themselves.
    --artifact A -- B      two files, which the local cloud serves; without a document, one of ours that names them

A document in which nothing changes from job to job is sent again and again: an id that is used again has the same one.
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import yaml

from agent.errors import InputError
from simulator.scenario.reading import LOADER

BUCKET: Final = "ghostjob"
"""Below the directory of files: where the artifacts lie."""
LETTERS: Final = ("A", "B")
TWO_VERSIONS: Final = ("1.0.0", "1.0.1")
"""A's and B's, where nothing else tells."""
LONGEST_DOCUMENT: Final = 32_768
"""Bytes, with the placeholders filled in: AWS's quota."""
LARGEST_FILE: Final = 1_048_576
"""Bytes of a file that is read as a document: whoever names an image by mistake is told so."""
DEEPEST: Final = 64
"""Levels of lists and mappings in one another."""
VERSION: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}")
PLACEHOLDER: Final = re.compile(r"\{(version|url|sha256|size)\}")
UNQUOTED: Final = [[(name, None)] for name in ("version", "url", "sha256", "size")]
"""What YAML reads where a placeholder stands without quotes."""
OURS: Final = {"operation": "update", "version": "{version}"}
OF_ARTIFACT: Final = ("url", "sha256", "size")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job brings. `name` is its own; `key` is where it lies below the directory of files."""

    path: Path
    key: str
    sha256: str
    size: int

    @property
    def url(self) -> str:
        """What stands for a presigned URL of it until the document is delivered."""
        return f"${{aws:iot:s3-presigned-url:https://s3.amazonaws.com/{self.key}}}"


@dataclass(frozen=True, slots=True)
class Documents:
    """`templates` are one, or A and B; so are `versions`, which are empty if none is sure to be unique.

    Without versions each job has one of its own.
    """

    templates: tuple[dict[str, Any], ...] = (OURS,)
    versions: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()

    def version(self, number: int) -> str | None:
        """What the document of that number brings; None if it does not say."""
        if not any("{version}" in text for text in _texts(self.templates[number % len(self.templates)])):
            return None
        return self._version(number)

    def document(self, number: int) -> dict[str, Any]:
        """The document of that number, counted from 0."""
        said = {"version": self._version(number)}
        if self.artifacts:
            artifact = self.artifacts[number % len(self.artifacts)]
            said |= {"url": artifact.url, "sha256": artifact.sha256, "size": str(artifact.size)}
        document = _filled(self.templates[number % len(self.templates)], said)
        assert isinstance(document, dict), "a mapping stays one"
        return document

    def _version(self, number: int) -> str:
        return self.versions[number % len(self.versions)] if self.versions else f"1.0.{number + 1}"

    def put_files(self, directory: Path) -> None:
        """Put the artifacts where the cloud serves them from. Raises InputError."""
        for artifact in self.artifacts:
            target = directory / artifact.key
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(artifact.path, target)
            except OSError as error:
                raise InputError(
                    f"--artifact {artifact.path}: cannot be put into {directory}: {error.strerror}"
                ) from None


def read_documents(document: Path | None = None, artifacts: Sequence[Path] = ()) -> Documents:
    """What the options say. Raises InputError."""
    known = tuple(_artifact(path, letter) for path, letter in zip(_two(artifacts), LETTERS, strict=False))
    if known and known[0].sha256 == known[1].sha256:
        raise InputError(f"--artifact: {known[0].path} and {known[1].path} have the same content; name two versions")
    if document is None:
        templates: tuple[dict[str, Any], ...] = (
            OURS | {name: f"{{{name}}}" for name in OF_ARTIFACT} if known else OURS,
        )
        return Documents(templates, _versions(known) if known else (), known)
    templates = _templates(document)
    _check(document, templates, known)
    documents = Documents(templates, _versions(known), known)
    for number in range(2):
        size = len(json.dumps(documents.document(number)).encode())
        if size > LONGEST_DOCUMENT:
            raise InputError(f"{document}: has {size} bytes as JSON; a job document has {LONGEST_DOCUMENT} at most")
    return documents


# ── artifacts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _two(artifacts: Sequence[Path]) -> Sequence[Path]:
    if len(artifacts) not in (0, 2):
        raise InputError(f"--artifact: give it twice, for A and for B, not {len(artifacts)} times")
    return artifacts


def _artifact(path: Path, letter: str) -> Artifact:
    try:
        with path.open("rb") as file:
            digest, size = file_digest(file, "sha256").hexdigest(), file.tell()
    except OSError as error:
        raise InputError(f"--artifact {path}: cannot be read: {error.strerror}") from None
    name = path.name if VERSION.fullmatch(path.name) else "image"
    return Artifact(path, f"{BUCKET}/{letter}/{name}", digest, size)


def _versions(artifacts: tuple[Artifact, ...]) -> tuple[str, ...]:
    """A's and B's: what the files are called, if that can be told apart and be a version."""
    names = tuple(artifact.path.stem for artifact in artifacts)
    tells = len(set(names)) > 1 and all(VERSION.fullmatch(name) for name in names)
    return names if tells else TWO_VERSIONS


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────


def _templates(path: Path) -> tuple[dict[str, Any], ...]:
    """The document, or the two documents, in a file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path}: is too large for a job document, which has {LONGEST_DOCUMENT} bytes at most")
        found = list(yaml.load_all(path.read_text("utf-8"), LOADER))
    except OSError as error:
        raise InputError(f"{path}: cannot read the job document: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: cannot read the job document: not UTF-8 text") from None
    except RecursionError:
        raise InputError(f"{path}: lists and mappings stand too deep in one another") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise InputError(f"{path}{line}: neither JSON nor YAML: {getattr(error, 'problem', None) or error}") from None
    if not 1 <= len(found) <= 2:
        raise InputError(f"{path}: has {len(found)} documents; give one, or two for A and B")
    return tuple(_template(path, each) for each in found)


def _template(path: Path, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InputError(
            f"{path}: a job document is a JSON object (a mapping in YAML), not {json.dumps(found, default=str)[:40]}"
        )
    _check_size(path, found)
    try:
        read: dict[str, Any] = json.loads(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be written as JSON: {error}; put it in quotes") from None
    return read


def _check_size(path: Path, document: Any) -> None:
    """Before it is written out: by YAML's aliases it may be within itself, or a small file be a large document."""
    waiting, parts = [(document, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        parts += 1
        if depth > DEEPEST:
            raise InputError(f"{path}: lists and mappings stand more than {DEEPEST} deep in one another")
        if parts > LONGEST_DOCUMENT:
            raise InputError(f"{path}: is too large for a job document, which has {LONGEST_DOCUMENT} bytes at most")
        if isinstance(value, dict) and list(value.items()) in UNQUOTED:
            raise InputError(
                f'{path}: in YAML, {{{next(iter(value))}}} is a mapping; write "{{{next(iter(value))}}}" in quotes'
            )
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += ((each, depth + 1) for each in inner)


def _check(path: Path, templates: tuple[dict[str, Any], ...], artifacts: tuple[Artifact, ...]) -> None:
    """Whether documents and artifacts speak of one another."""
    asked = {name for template in templates for text in _texts(template) for name in PLACEHOLDER.findall(text)}
    if artifacts and "url" not in asked:
        raise InputError(f"{path}: does not say where the artifact is; put {{url}} where its URL belongs")
    if not artifacts and (needed := [name for name in OF_ARTIFACT if name in asked]):
        raise InputError(f"{path}: {{{needed[0]}}} is of an artifact; give --artifact twice, for A and for B")
    if len(templates) == 2 and templates[0] == templates[1] and not asked:
        raise InputError(f"{path}: its two documents are the same; leave one out, or have them differ")


# ── placeholders ──────────────────────────────────────────────────────────────────────────────────────────────


def _texts(value: Any) -> Iterator[str]:
    """Every text in a document, but for keys."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case _:
            pass


def _filled(value: Any, said: dict[str, str]) -> Any:
    """The same with what is said in the place of placeholders; {size} alone becomes a number."""
    match value:
        case "{size}" if "size" in said:
            return int(said["size"])
        case str():
            return PLACEHOLDER.sub(lambda found: said.get(found[1], found[0]), value)
        case dict():
            return {key: _filled(inner, said) for key, inner in value.items()}
        case list():
            return [_filled(inner, said) for inner in value]
        case _:
            return value
