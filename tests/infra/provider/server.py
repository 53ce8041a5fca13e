"""A folder of Terraform in; what its commands need in their environment, to find a stand-in for Google's provider, out.

Terraform speaks to a provider by gRPC, and with TF_REATTACH_PROVIDERS to one that runs already: nothing is downloaded,
no account is asked for. This one answers what its schema is and finds every configuration good; whatever else Terraform
would want of it has to come from `mock_provider`, as in `terraform test`.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc

from tests.infra.provider.schema import Attribute, Block, Nested, schemas, used

ADDRESS = "registry.terraform.io/hashicorp/google"
Value = TypeVar("Value")
NESTING = {"single": 1, "list": 2, "set": 3}
FINE = ("ValidateProviderConfig", "ValidateResourceConfig", "ValidateDataResourceConfig", "ConfigureProvider")

# The provider's own arguments, as far as a configuration here may use them.
OPTIONAL_STRING = Attribute("string", required=False, optional=True, computed=False)
OPTIONAL_MAP = Attribute(["map", "string"], required=False, optional=True, computed=False)
CONFIGURATION = Block(
    {
        "project": OPTIONAL_STRING,
        "region": OPTIONAL_STRING,
        "billing_project": OPTIONAL_STRING,
        "user_project_override": Attribute("bool", required=False, optional=True, computed=False),
        "default_labels": OPTIONAL_MAP,
    },
    {},
)


@contextmanager
def running_provider(configuration: Path) -> Iterator[dict[str, str]]:
    """The environment for `terraform -chdir=CONFIGURATION`, with all resource types that this configuration uses."""
    known = schemas(used(configuration))
    resources = {name: block for (kind, name), block in known.items() if kind == "resource"}
    data = {name: block for (kind, name), block in known.items() if kind == "data"}
    answers = dict.fromkeys(FINE, b"") | {"GetProviderSchema": _schemas(CONFIGURATION, resources, data)}
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/provider.sock"
        server = grpc.server(ThreadPoolExecutor(4))
        methods = {name: _always(answer) for name, answer in answers.items()}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("tfplugin6.Provider", methods)])
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        try:
            yield {"TF_REATTACH_PROVIDERS": json.dumps({ADDRESS: _reattach(socket)}), "CHECKPOINT_DISABLE": "1"}
        finally:
            server.stop(None).wait()


def _always(answer: bytes) -> Any:
    return grpc.unary_unary_rpc_method_handler(lambda request, context: answer)


def _reattach(socket: str) -> dict[str, object]:
    address = {"Network": "unix", "String": socket}
    return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}


# The messages of Terraform's plugin protocol 6, by their fields' numbers.


def _schemas(provider: Block, resources: dict[str, Block], data: dict[str, Block]) -> bytes:
    answer = _field(1, _schema(provider))
    for number, kinds in ((2, resources), (3, data)):
        for name, block in kinds.items():
            answer += _field(number, _field(1, name) + _field(2, _schema(block)))
    return answer


def _schema(block: Block) -> bytes:
    return _field(2, _block(block))


def _block(block: Block) -> bytes:
    return _each(2, block.attributes, _attribute) + _each(3, block.blocks, _nested)


def _attribute(name: str, attribute: Attribute) -> bytes:
    flags = ((4, attribute.required), (5, attribute.optional), (6, attribute.computed))
    return _field(1, name) + _field(2, json.dumps(attribute.type)) + b"".join(_field(n, int(on)) for n, on in flags)


def _nested(name: str, nested: Nested) -> bytes:
    numbers = ((3, NESTING[nested.nesting]), (4, nested.at_least), (5, nested.at_most))
    return _field(1, name) + _field(2, _block(nested.block)) + b"".join(_field(n, value) for n, value in numbers)


def _each(number: int, named: Mapping[str, Value], message: Callable[[str, Value], bytes]) -> bytes:
    return b"".join(_field(number, message(name, value)) for name, value in named.items())


def _field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
