"""A prompt in, the pieces of a vLLM completion out: the least that a client can do. Both floors use it."""

import json
from collections.abc import AsyncIterator

import aiohttp


async def completion(http: aiohttp.ClientSession, url: str, prompt: str) -> AsyncIterator[str]:
    """Each token's text, as it comes."""
    body = {"model": "gemma-stand-in", "prompt": prompt, "max_tokens": 4096, "stream": True}
    async with http.post(f"{url}/v1/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    yield choice["text"]
