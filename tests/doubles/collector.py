"""An OpenTelemetry collector on loopback: OTLP over HTTP in, as protobuf and nothing else; the spans out."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.doubles.wire import Answer, ScriptedServer

Plain = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Sent:
    """One span as it arrived; ids in hexadecimal."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]
    attributes: Mapping[str, Plain]
    instance: str  # the process that sent it
    start_ns: int
    end_ns: int
    failed: bool


class Collector(ScriptedServer):
    """Takes spans; `bodies` are the requests as they came."""

    def __init__(self) -> None:
        super().__init__(Answer(content_type="application/x-protobuf"))
        self.spans: list[Sent] = []
        self.bodies: list[bytes] = []

    def named(self, name: str) -> list[Sent]:
        """The spans of this name, in the order of their arrival."""
        return [span for span in self.spans if span.name == name]

    def application(self) -> web.Application:
        """The one route."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/traces", self._take)
        return app

    async def _take(self, request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = _plain(resource.resource.attributes)
            assert about["service.name"] == "tandem"
            instance = str(about["service.instance.id"])
            self.spans += [_read(span, instance) for scope in resource.scope_spans for span in scope.spans]
        return await self.next_answer(request)


def _read(span: Span, instance: str) -> Sent:
    return Sent(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        _plain(span.attributes),
        instance,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
    )


def _plain(attributes: Iterable[KeyValue]) -> dict[str, Plain]:
    plain: dict[str, Plain] = {}
    for pair in attributes:
        kind = pair.value.WhichOneof("value")
        assert kind is not None
        plain[pair.key] = getattr(pair.value, kind)
    return plain


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """A running one."""
    server = Collector()
    async with server.serving(server.application()):
        yield server
