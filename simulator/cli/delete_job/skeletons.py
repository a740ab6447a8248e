"""`--generate-cli-skeleton`: an example of the input, to fill in and give back, made from the service model."""

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Final

from botocore.model import OperationModel
from botocore.utils import ArgumentGenerator
from ruamel.yaml import YAML

SENTENCE_END: Final = re.compile(r"[.:]+")
MARKUP: Final = re.compile(r"<[^>]*>")


def as_json(operation: OperationModel) -> str:
    """For `--cli-input-json`."""
    return json.dumps(_example(operation), indent=4) + "\n"


def as_yaml(operation: OperationModel) -> str:
    """For `--cli-input-yaml`, with a remark on each member."""
    yaml, text = YAML(), StringIO()
    example = yaml.map(**_example(operation))
    shape = operation.input_shape
    assert shape is not None, "DeleteJob has input"
    for name, member in shape.members.items():
        required = "[REQUIRED] " if name in shape.required_members else ""
        example.yaml_add_eol_comment(f"# {required}{_first_sentence(member.documentation)}", name)
    yaml.dump(example, text)
    return text.getvalue()


SKELETONS: Final[dict[str, Callable[[OperationModel], str]]] = {"input": as_json, "yaml-input": as_yaml}


def _example(operation: OperationModel) -> dict[str, object]:
    shape = operation.input_shape
    assert shape is not None, "DeleteJob has input"
    return dict(ArgumentGenerator().generate_skeleton(shape))


def _first_sentence(documentation: str) -> str:
    words = " ".join(MARKUP.sub("", documentation).split())
    return SENTENCE_END.split(words, maxsplit=1)[0] + "."
