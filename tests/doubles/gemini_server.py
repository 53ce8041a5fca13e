"""A strict stand-in for Gemini's REST API, as Vertex AI and the Gemini Developer API serve it; scripted answers.

It refuses with Google's own error bodies what Google is known to refuse: other paths, a missing token, a wrong API key,
unknown models and locations, unknown fields, empty contents, other roles than user and model, sizes out of range.
It also plays Google's token server, so that the real google-auth can log in with a service account's key file.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.doubles.wire import Answer, Asked, ScriptedServer

MODELS = {"gemini-3.8-flash": {"global", "us", "eu"}, "gemini-3.5-flash-lite": None}  # None: every location
TOKEN = "a-token-of-the-stand-in"
CHARS_PER_TOKEN = 4

VERTEX = re.compile(
    r"/v1beta1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/publishers/google/models/(?P<model>[^/:]+):(?P<method>\w+)"
)
DEVELOPER = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<method>\w+)")

REQUEST_FIELDS = {"contents", "systemInstruction", "generationConfig", "safetySettings", "labels"}
GENERATION_FIELDS = {"temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "thinkingConfig"}


def event(data: object) -> bytes:
    """One server-sent event, as Google ends its lines."""
    return b"data: " + json.dumps(data).encode() + b"\r\n\r\n"


def part(text: str, finish: str = "", **fields: Any) -> dict[str, Any]:
    """A response with one candidate."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text, **fields}]}}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


def stream(*responses: dict[str, Any], **how: Any) -> Answer:
    """An answer that consists of these responses."""
    return Answer(pieces=tuple(map(event, responses)), content_type="text/event-stream", **how)


def says(text: str, *, finish: str = "STOP", thoughts: int = 0, **how: Any) -> Answer:
    """A whole answer, a word at a time, with thoughts before it if it has any."""
    words = re.findall(r"\S+\s*", text)
    head = [part("Let me think.", thought=True)] if thoughts else []
    counts = {"promptTokenCount": 12, "candidatesTokenCount": len(words), "thoughtsTokenCount": thoughts}
    total = {"totalTokenCount": 12 + len(words) + thoughts, "cachedContentTokenCount": 8}
    last = part("", finish) | {"usageMetadata": counts | total, "modelVersion": "gemini-3.8-flash"}
    return stream(*head, *map(part, words), last, **how)


def blocks(reason: str = "SAFETY") -> Answer:
    """A prompt that is not answered."""
    feedback = {"blockReason": reason, "blockReasonMessage": "The prompt was blocked."}
    return stream({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5}})


def withdraws(text: str, reason: str = "SAFETY") -> Answer:
    """An answer that is stopped in its middle."""
    return stream(part(text), {"candidates": [{"finishReason": reason}]})


def refuses(status: int, word: str, message: str, *, reason: str = "", retry_after: str = "") -> Answer:
    """An error in Google's shape."""
    error: dict[str, Any] = {"code": status, "message": message, "status": word}
    if reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Answer(pieces=(json.dumps({"error": error}).encode(),), status=status, headers=headers)


BUSY = refuses(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", retry_after="7")
OVERLOADED = refuses(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
NOT_ENABLED = refuses(
    403,
    "PERMISSION_DENIED",
    "Vertex AI API has not been used in project 1 before or it is disabled. Enable it, then retry.",
    reason="SERVICE_DISABLED",
)


class GeminiServer(ScriptedServer):
    """A Gemini that says what it is told to say."""

    def __init__(self, *, api_key: str = "a-key", context: int = 1_048_576) -> None:
        super().__init__(says("Hello from Gemini's stand-in."))
        self.api_key = api_key
        self.context = context
        self.refuses_thinking = False
        self.refuses_all: Answer | None = None  # what every call to the API gets, such as NOT_ENABLED

    def application(self) -> web.Application:
        """All paths: the token server's and the API's."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/token", self._token)
        app.router.add_route("*", "/{anything:.*}", self._api)
        return app

    def write_credentials(self, path: Path) -> Path:
        """A service account's key file for GOOGLE_APPLICATION_CREDENTIALS, that logs in here."""
        account = {
            "type": "service_account",
            "project_id": "a-project",
            "private_key_id": "1",
            "private_key": _private_key(),
            "client_email": "tandem@a-project.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(account))
        return path

    async def _token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    async def _api(self, request: web.Request) -> web.StreamResponse:
        vertex = VERTEX.fullmatch(request.path)
        called = vertex or DEVELOPER.fullmatch(request.path)
        if request.method != "POST" or called is None:
            return web.Response(status=404, text="<html>Error 404 (Not Found)!!1</html>", content_type="text/html")
        refused = self._stranger(request, is_vertex=vertex is not None) or _unknown_model(called.groupdict())
        if refused:
            return _as_response(refused)
        body = await request.json()
        self.requests.append(Asked(request.path_qs, dict(request.headers), body))
        if self.refuses_all:
            return _as_response(self.refuses_all)
        if refused := self._invalid(body):
            return _as_response(refused)
        if called["method"] == "countTokens":
            return web.json_response({"totalTokens": _tokens(body)})
        if called["method"] != "streamGenerateContent" or request.query.get("alt") != "sse":
            return _as_response(refuses(400, "INVALID_ARGUMENT", "The stand-in only streams, with alt=sse."))
        return await self.next_answer(request)

    def _stranger(self, request: web.Request, *, is_vertex: bool) -> Answer | None:
        if is_vertex and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
            return refuses(401, "UNAUTHENTICATED", message)
        if not is_vertex and request.headers.get("x-goog-api-key") != self.api_key:
            message = "API key not valid. Please pass a valid API key."
            return refuses(400, "INVALID_ARGUMENT", message, reason="API_KEY_INVALID")
        return None

    def _invalid(self, body: dict[str, Any]) -> Answer | None:
        """Google's refusal of a request, or None where it is in order."""
        settings = body.get("generationConfig", {})
        unknown = (body.keys() - REQUEST_FIELDS) | (settings.keys() - GENERATION_FIELDS)
        contents = body.get("contents") or []
        limit = settings.get("maxOutputTokens", 1)
        problem = ""
        if unknown:
            problem = f'Invalid JSON payload received. Unknown name "{min(unknown)}": Cannot find field.'
        elif not contents:
            problem = "* GenerateContentRequest.contents: contents is not specified"
        elif any(content.get("role") not in ("user", "model") for content in contents):
            problem = "Please use a valid role: user, model."
        elif not all(content.get("parts") for content in contents):
            problem = "Unable to submit request because it must include at least one parts field."
        elif not 1 <= limit <= 65536:
            problem = f"maxOutputTokens has a value of {limit}; the supported range is from 1 to 65536."
        elif settings.get("thinkingConfig") and self.refuses_thinking:
            problem = "Thinking level is not supported for this model."
        elif (tokens := _tokens(body)) > self.context:
            problem = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({self.context})."
        return refuses(400, "INVALID_ARGUMENT", problem) if problem else None


@cache
def _private_key() -> str:
    """A key that nobody knows; making one takes a while, so a run of tests makes one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _unknown_model(called: dict[str, str]) -> Answer | None:
    model, location = called["model"], called.get("location", "global")
    locations = MODELS.get(model, set())
    if locations is None or location in locations:
        return None
    if "project" not in called:
        return refuses(404, "NOT_FOUND", f"models/{model} is not found for API version v1.")
    name = f"projects/{called['project']}/locations/{location}/publishers/google/models/{model}"
    message = f"Publisher Model `{name}` was not found or your project does not have access to it."
    return refuses(404, "NOT_FOUND", message)


def _tokens(body: dict[str, Any]) -> int:
    texts = [part.get("text", "") for content in body["contents"] for part in content["parts"]]
    return sum(map(len, texts)) // CHARS_PER_TOKEN


def _as_response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=b"".join(answer.pieces),
        headers={"Content-Type": answer.content_type, **answer.headers},
    )


@asynccontextmanager
async def gemini_server(**settings: Any) -> AsyncIterator[GeminiServer]:
    """A running one."""
    server = GeminiServer(**settings)
    async with server.serving(server.application()):
        yield server
