"""Job documents on their way in: whoever makes one that cannot be told to a device is refused, and told why."""

import json
from pathlib import Path

import pytest

from simulator.cloud.api import ApiError
from tests.fidelity.proofs import proves

from .conftest import Plane

OBJECT = "https://s3.amazonaws.com/documents/fw.json"

REFUSED = [
    pytest.param('{"a":}', "line 1, column 6", id="broken"),
    pytest.param('{"a":1}\n}', "line 2, column 1", id="something after it"),
    pytest.param("", "line 1, column 1", id="nothing"),
    pytest.param("\ufeff{}", "BOM", id="a byte order mark"),
    pytest.param('{"a":"\t"}', "control character", id="a bare tab in a string"),
    pytest.param('{"a":NaN}', "NaN is no number", id="NaN"),
    pytest.param('{"a":Infinity}', "Infinity is no number", id="Infinity"),
    pytest.param("[-Infinity]", "-Infinity is no number", id="-Infinity"),
    pytest.param('{"inf":1e400}', "1e400 is larger than a double", id="1e400"),
    pytest.param("[-1E+309]", "-1E[+]309 is larger than a double", id="-1E+309"),
    pytest.param("9" * 400, "is larger than a double", id="an integer of 400 digits"),
    pytest.param('{"a":"\\ud800"}', "half a surrogate pair", id="half a surrogate pair"),
    pytest.param('{"\\udc00":1,"a":2}', "half a surrogate pair", id="half a surrogate pair in a name"),
    pytest.param("[" * 101 + "]" * 101, "deeper than 100 levels", id="101 arrays"),
    pytest.param('{"a":' * 101 + "0" + "}" * 101, "deeper than 100 levels", id="101 objects"),
    pytest.param('{"a":1,"a":' + "[" * 250 + "]" * 250 + "}", "deeper than 100 levels", id="250 arrays"),
    pytest.param('[{"a":[' * 80 + "]}]" * 80, "deeper than 100 levels", id="arrays and objects by turns"),
    pytest.param("[" * 16_000 + "]" * 16_000, "deeper than 100 levels", id="16,000 arrays"),
    pytest.param("[" * 32_000, "deeper than 100 levels", id="32,000 arrays that never end"),
    pytest.param('{"a":"\\ud800","a":1}', "half a surrogate pair", id="half a pair in a member that another hides"),
]


@proves("what-is-no-json-is-refused-when-it-is-made")
@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_cannot_be_told_to_a_device_is_refused_over_every_way_in(tmp_path: Path, text: str, why: str):
    plane = Plane(files=tmp_path)
    (target,) = plane.things("t")
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "fw.json").write_bytes(text.encode())
    for given in ({"document": text}, {"documentSource": OBJECT}):
        for operation, more in (
            ("CreateJob", {"jobId": "fw", "targets": [target]}),
            ("CreateJobTemplate", {"jobTemplateId": "fw", "description": "d"}),
        ):
            with pytest.raises(ApiError, match=why) as caught:
                plane.call(operation, **more, **given)
            assert caught.value.name == "InvalidRequestException"
    assert list(plane.jobs.jobs()) == []
    assert plane.call("ListJobTemplates")["jobTemplates"] == []


@proves("what-is-no-json-is-refused-when-it-is-made")
def test_a_file_that_is_not_utf8_is_no_document(tmp_path: Path):
    plane = Plane(files=tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "fw.json").write_bytes(b'{"a":"\xff"}')
    with pytest.raises(ApiError, match="not UTF-8, at its byte 6"):
        plane.call("CreateJob", jobId="fw", targets=plane.things("t"), documentSource=OBJECT)


@proves("what-is-no-json-is-refused-when-it-is-made")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a":1,"a":2}', id="a member named twice"),
        pytest.param('{"a":1e-400}', id="a number that is almost zero"),
        pytest.param("1.7976931348623157e308", id="the largest double"),
        pytest.param(' \r\n\t"\\ud83d\\ude00\\u0000" ', id="a pair of surrogates, NUL, and white space around"),
    ],
)
def test_what_is_json_is_taken(plane: Plane, text: str):
    plane.call("CreateJob", jobId="fw", targets=plane.things("t"), document=text)
    assert plane.call("GetJobDocument", jobId="fw")["document"] == text


@pytest.mark.parametrize("source", [OBJECT, f"${{aws:iot:s3-presigned-url:{OBJECT}}}"], ids=["URL", "placeholder"])
def test_a_file_keeps_its_line_ends_as_a_document(tmp_path: Path, source: str):
    plane = Plane(files=tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "fw.json").write_bytes(b'{\r\n"a": 1.10\r}\n')
    plane.call("CreateJob", jobId="fw", targets=plane.things("t"), documentSource=source)
    assert plane.call("GetJobDocument", jobId="fw")["document"] == '{\r\n"a": 1.10\r}\n'


def test_a_parameter_of_a_managed_template_stands_in_the_document_as_it_was_given(plane: Plane):
    arn = "arn:aws:iot:us-east-1::jobtemplate/AWS-Run-Command:1.0"
    parameters = {"command": 'say,"é 😀"'}
    plane.call("CreateJob", jobId="fw", targets=plane.things("t"), jobTemplateArn=arn, documentParameters=parameters)
    assert '"command":"say,\\"é 😀\\""' in plane.call("GetJobDocument", jobId="fw")["document"]


@pytest.mark.parametrize("operation", ["CreateJob", "CreateJobTemplate"])
def test_a_file_that_is_larger_than_a_document_may_be_is_refused_as_one(tmp_path: Path, operation: str):
    plane = Plane(files=tmp_path)
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "fw.json").write_bytes(b'"' + b"a" * 40_000 + b'"')
    named = {"jobId": "fw", "targets": plane.things("t")}
    given = named if operation == "CreateJob" else {"jobTemplateId": "fw", "description": "d"}
    with pytest.raises(ApiError, match="at most 32768 bytes") as caught:
        plane.call(operation, documentSource=OBJECT, **given)
    assert caught.value.name == "LimitExceededException"


def test_a_template_of_more_placeholders_than_a_job_may_have_is_refused(plane: Plane):
    text = json.dumps([f"${{aws:iot:s3-presigned-url:{OBJECT}}}"] * 11)
    with pytest.raises(ApiError, match="at most 10 URLs"):
        plane.call("CreateJobTemplate", jobTemplateId="fw", description="d", document=text)
