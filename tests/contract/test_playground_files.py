"""Files go up by URL and come down with the bot's token, as in Slack."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.doubles.in_process import ADA, GENERAL, InProcess, refusal
from tests.doubles.workspace import BOT_TOKEN, Refused


@pytest.fixture
async def slack() -> AsyncIterator[InProcess]:
    async with InProcess() as running:
        yield running


async def download(url: str, token: str = BOT_TOKEN) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as response:
        return response.status, response.content_type, await response.read()


async def shared(slack: InProcess, content: bytes = b"\x89PNG") -> dict[str, object]:
    """The file object of a picture that Ada dropped into a message."""
    file = {"name": "a b.png", "mimetype": "image/png", "content_base64": base64.b64encode(content).decode()}
    await slack.say(ADA, GENERAL, "", files=[file])
    return dict((await slack.messages(GENERAL))[-1]["files"][0])


async def test_a_dropped_file_comes_down_with_the_bots_token(slack: InProcess) -> None:
    file = await shared(slack)
    for name in ("url_private", "url_private_download"):
        assert await download(str(file[name])) == (200, "image/png", b"\x89PNG")
    info = (await slack.client.files_info(file=str(file["id"])))["file"]
    assert info["mimetype"] == "image/png" and info["size"] == 4 and info["file_access"] == "visible"


@pytest.mark.parametrize("token", ["", "xoxb-wrong"])
async def test_without_the_token_there_is_only_a_page_to_sign_in(slack: InProcess, token: str) -> None:
    file = await shared(slack)
    status, content_type, content = await download(str(file["url_private"]), token)
    assert (status, content_type) == (200, "text/html") and b"PNG" not in content


async def test_without_the_scope_there_is_only_a_page_to_sign_in() -> None:
    async with InProcess(scopes=frozenset({"chat:write"})) as slack:
        file = await shared(slack)
        assert (await download(str(file["url_private"])))[1] == "text/html"


async def test_slacks_own_upload_helper_works(slack: InProcess) -> None:
    root = await slack.ask()
    await slack.client.files_upload_v2(
        channel=GENERAL, thread_ts=root, content="a,b\n1,2\n", filename="t.csv", title="Table", initial_comment="here"
    )
    reply = (await slack.messages(GENERAL, root))[-1]
    assert (reply["text"], reply["files"][0]["title"]) == ("here", "Table")
    assert (await download(reply["files"][0]["url_private"]))[2] == b"a,b\n1,2\n"


async def test_an_upload_must_be_as_long_as_announced_and_complete(slack: InProcess) -> None:
    client = slack.client
    assert await refusal(client.files_getUploadURLExternal(filename="a", length=0)) == "file_upload_size_restricted"
    announced = await client.files_getUploadURLExternal(filename="a.txt", length=5)
    incomplete = client.files_completeUploadExternal(files=[{"id": announced["file_id"], "title": "a"}])
    assert await refusal(incomplete) == "file_not_found"
    async with aiohttp.ClientSession() as http:
        async with http.post(announced["upload_url"], data=b"123") as response:
            assert (response.status, await response.text()) == (400, "file_update_failed")
        async with http.post(announced["upload_url"], data=b"12345") as response:
            assert response.status == 200
    assert await refusal(client.files_info(file="F0NONE")) == "file_not_found"


async def test_a_file_without_content_is_refused(slack: InProcess) -> None:
    for file in ({"name": "a"}, {"name": "a", "content_base64": "not base64!"}):
        with pytest.raises(Refused, match="invalid_arguments"):
            await slack.say(ADA, GENERAL, "look", files=[file])
