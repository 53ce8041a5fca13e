"""A Firestore emulator in, the same at another address out, where every call is counted by what Google bills."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.cloud.firestore_v1.types import BatchGetDocumentsResponse, CommitRequest, RunQueryRequest, RunQueryResponse

SERVICE = "/google.firestore.v1.Firestore/"


class CountingProxy(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Passes calls on as bytes. `counts`: what turns ask for, as it is billed; and the calls made beside them."""

    def __init__(self, channel: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._channel = channel
        self._reading = 0

    def service(self, details: Any) -> Any:
        """One call: reads are streams of documents, all else is one answer to one request."""
        method = details.method
        if method.removeprefix(SERVICE) in ("BatchGetDocuments", "RunQuery"):
            return grpc.unary_stream_rpc_method_handler(self._reader(method))
        return grpc.unary_unary_rpc_method_handler(self._writer(method))

    def _reader(self, method: str) -> Any:
        forward = self._channel.unary_stream(method)
        kind = BatchGetDocumentsResponse if method.endswith("BatchGetDocuments") else RunQueryResponse
        fields = [field for field in ("found", "missing", "document") if field in kind.meta.fields]

        async def read(request: bytes, context: Any) -> AsyncIterator[bytes]:
            purpose = _beside_turns(method, request)
            if purpose:
                self.counts[purpose] += 1
            elif not self._reading:  # what is read at the same time is one round trip
                self.counts["round trips for reading"] += 1
            documents = 0
            self._reading += not purpose
            try:
                async for answer in forward(request, metadata=_metadata(context), timeout=context.time_remaining()):
                    told = kind.deserialize(answer)
                    documents += any(field in told for field in fields)
                    yield answer
            finally:
                self._reading -= not purpose
                if not purpose:  # a query that finds nothing is billed as one read
                    self.counts["documents read"] += max(1, documents)

        return read

    def _writer(self, method: str) -> Any:
        forward = self._channel.unary_unary(method)

        async def write(request: bytes, context: Any) -> bytes:
            answer: bytes = await forward(request, metadata=_metadata(context), timeout=context.time_remaining())
            writes = CommitRequest.deserialize(request).writes if method.endswith("/Commit") else []
            if len(writes) == 1 and "/documents/leases/" in writes[0].update.name:
                self.counts["heartbeats"] += 1
            elif writes and not _beside_turns(method, request):
                deleted = sum("delete" in write for write in writes)
                self.counts["commits"] += 1
                self.counts["documents written"] += len(writes) - deleted
                self.counts["documents deleted"] += deleted
            return answer

        return write


def _beside_turns(method: str, request: bytes) -> str:
    """What a process asks for however many turns it answers; "" for what a turn asks for."""
    if b"/documents/signals/" in request:
        return "looks for a stop"
    if b"/documents/meta/" in request:
        return "pulses"
    if method.endswith("RunQuery"):
        order = RunQueryRequest.deserialize(request).structured_query.order_by
        return "sweeps" if order and order[0].field.field_path == "at" else ""
    return ""


def _metadata(context: Any) -> tuple[tuple[str, str], ...]:
    """The caller's own headers, which say which database is meant."""
    return tuple((key, value) for key, value in context.invocation_metadata() if key.startswith("google-"))


@asynccontextmanager
async def counting(emulator: str) -> AsyncIterator[tuple[str, Counter[str]]]:
    """The address to give to the bot, and the counts so far; `emulator` is "host:port"."""
    async with grpc.aio.insecure_channel(emulator) as channel:
        proxy = CountingProxy(channel)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((proxy,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}", proxy.counts
        finally:
            await server.stop(None)
