"""The job documents of a session, and what is said of a file that is none."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from simulator.certify.documents import Documents, read_documents
from simulator.cloud.s3.buckets import file_of
from simulator.cloud.s3.presigned import object_of


def written(directory: Path, text: str | bytes, name: str = "job.yaml") -> Path:
    file = directory / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.fixture
def artifacts(tmp_path: Path) -> list[Path]:
    return [written(tmp_path, b"old", "fw-1.4.bin"), written(tmp_path, b"newer", "fw-1.5.bin")]


def test_without_a_file_each_job_brings_a_version_that_never_was():
    documents = Documents()
    brought = [documents.document(number) for number in range(3)]
    assert brought == [{"operation": "update", "version": f"1.0.{number}"} for number in (1, 2, 3)]
    assert [documents.version(number) for number in range(3)] == ["1.0.1", "1.0.2", "1.0.3"]


@pytest.mark.parametrize(
    ("text", "a", "b"),
    [
        pytest.param('{"fw": "{version}", "n": 1}', {"fw": "1.0.0", "n": 1}, {"fw": "1.0.1", "n": 1}, id="JSON"),
        pytest.param(
            "steps:\n- get {version}\n- run: v{version}\n",
            {"steps": ["get 1.0.0", {"run": "v1.0.0"}]},
            {"steps": ["get 1.0.1", {"run": "v1.0.1"}]},
            id="YAML, deep within",
        ),
        pytest.param("{fw: old}\n---\n{fw: new}", {"fw": "old"}, {"fw": "new"}, id="two documents"),
        pytest.param("{op: '{verb}', run: '{}'}", *[{"op": "{verb}", "run": "{}"}] * 2, id="braces of its own"),
    ],
)
def test_a_document_is_sent_as_it_is_but_for_what_is_asked_for(
    tmp_path: Path, text: str, a: dict[str, Any], b: dict[str, Any]
):
    documents = read_documents(written(tmp_path, text))
    assert [documents.document(number) for number in range(4)] == [a, b, a, b]
    assert documents.version(0) == ("1.0.0" if "{version}" in text else None)


def test_artifacts_alone_make_a_document_of_ours(artifacts: list[Path], tmp_path: Path):
    documents = read_documents(None, artifacts)
    b = documents.document(1)
    assert (b["operation"], b["version"], b["size"]) == ("update", "fw-1.5", 5)
    assert b["sha256"] == hashlib.sha256(b"newer").hexdigest()
    documents.put_files(tmp_path / "files")
    url = b["url"].removeprefix("${aws:iot:s3-presigned-url:").removesuffix("}")
    served = file_of(tmp_path / "files", object_of(url))
    assert served is not None
    assert served.read_bytes() == b"newer"
    assert documents.document(0)["version"] == documents.version(2) == "fw-1.4"


def test_a_document_says_where_an_artifact_belongs(artifacts: list[Path], tmp_path: Path):
    documents = read_documents(
        written(tmp_path, "{image: {from: '{url}', bytes: '{size}', sum: 'sha256:{sha256}'}}"), artifacts
    )
    image = documents.document(0)["image"]
    assert image["bytes"] == 3
    assert image["from"].startswith("${aws:iot:s3-presigned-url:https://s3.amazonaws.com/ghostjob/A/")
    assert image["sum"] == "sha256:" + hashlib.sha256(b"old").hexdigest()
    assert json.dumps(image)


def test_files_of_one_name_are_told_apart_and_their_version_is_ours(tmp_path: Path):
    for letter in "ab":
        (tmp_path / letter).mkdir()
    files = [written(tmp_path / letter, letter, "my image.bin") for letter in "ab"]
    documents = read_documents(None, files)
    assert [documents.version(number) for number in (0, 1)] == ["1.0.0", "1.0.1"]
    assert len({artifact.key for artifact in documents.artifacts}) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[1, 2]", "a JSON object .*not", id="a list"),
        pytest.param("", r"has 0 documents", id="empty"),
        pytest.param("{a: 1}\n---\n{a: 2}\n---\n{a: 3}", "has 3 documents", id="three"),
        pytest.param("{a: 1}\n---\n{a: 1}", "are the same", id="the same twice"),
        pytest.param("a: [1,\nb", r"job.yaml:\d: neither JSON nor YAML", id="no YAML"),
        pytest.param("{since: 2026-01-01}", "put it in quotes", id="a date"),
        pytest.param("fw: {version}", r'write "\{version\}" in quotes', id="a placeholder that is a mapping"),
        pytest.param("{n: .inf}", "cannot be written as JSON", id="infinity"),
        pytest.param("{from: '{url}'}", "--artifact twice", id="of an artifact that there is not"),
        pytest.param(b"\xff\xfe\x00", "UTF-8|neither JSON nor YAML", id="no text"),
        pytest.param("a: &x {b: *x}", "64 deep", id="within itself"),
        pytest.param(json.dumps({"a": "x" * 33_000}), "32768 at most", id="too long"),
        pytest.param("x" * 1_100_000, "too large", id="an image by mistake"),
        pytest.param("[" * 2000, "too deep|neither JSON", id="deep"),
        pytest.param(
            "\n".join(["a: &a0 [x, x]"] + [f"b{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]),
            "too large",
            id="small on disk",
        ),
    ],
)
def test_a_file_that_is_no_job_document_says_why(tmp_path: Path, text: str | bytes, says: str):
    file = written(tmp_path, text)
    with pytest.raises(InputError, match=says) as told:
        read_documents(file)
    assert str(told.value).startswith(str(file))
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(InputError, match=r"cannot read the job document: No such file"):
        read_documents(tmp_path / "job.yaml")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        pytest.param(["a"], "not 1 times", id="one"),
        pytest.param(["a", "b", "a"], "not 3 times", id="three"),
        pytest.param(["a", "same"], "have the same content", id="the same"),
        pytest.param(["a", "none"], "cannot be read: No such file", id="not there"),
    ],
)
def test_artifacts_that_are_no_two_say_why(tmp_path: Path, names: list[str], says: str):
    written(tmp_path, "A", "a"), written(tmp_path, "B", "b"), written(tmp_path, "A", "same")
    with pytest.raises(InputError, match=says):
        read_documents(None, [tmp_path / name for name in names])


def test_a_document_that_names_no_url_is_not_for_artifacts(tmp_path: Path, artifacts: list[Path]):
    with pytest.raises(InputError, match=r"put \{url\} where its URL belongs"):
        read_documents(written(tmp_path, "{fw: '{version}'}"), artifacts)


def test_files_that_cannot_be_put_there_say_so(tmp_path: Path, artifacts: list[Path]):
    with pytest.raises(InputError, match="cannot be put into"):
        read_documents(None, artifacts).put_files(written(tmp_path, "a file", "files"))
