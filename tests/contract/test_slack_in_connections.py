"""A Socket Mode connection to the playground heals whatever happens to it, without a storm, and closes in seconds."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.errors import SlackRejected
from bot.slack.socket import SocketMode
from bot.slack.socket_client import SteadyClient
from playground.socket_mode import MAX_CONNECTIONS
from tests.doubles.slack_side import QUICK, SlackSide, all_acked, until
from tests.doubles.workspace import APP_TOKEN, Workspace

ADA, DM = "U0ADA", "D0ADA"


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace() as running:
        await running.trouble(timing={"retry_delays_s": [0.1, 0.5, 3.0], "disconnect_warning_s": 0.5})
        yield running


async def test_hello_tells_how_many_connections_share_the_limits(workspace: Workspace, side: SlackSide) -> None:
    connections: list[int] = []
    first, second = side.socket(connections), side.socket(connections)
    await first.start()
    await until(lambda: first.connected)
    await second.start()
    await until(lambda: second.connected)
    await first.close()
    await second.close()

    assert connections == [1, 2]


@pytest.mark.parametrize("reason", ["drop", "refresh_requested", "warning"])
async def test_a_connection_that_ends_is_replaced(workspace: Workspace, side: SlackSide, reason: str) -> None:
    async with side.connected(workspace):
        await workspace.disconnect(reason)
        ts = await workspace.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)
        await asyncio.sleep(0.7)  # in which a connection that was only warned is closed
        hello = await workspace.say(ADA, DM, "still there?")
        await until(lambda: len(side.intake.turns) == 2)

    assert list(side.intake.turns) == [f"{DM}:{ts}", f"{DM}:{hello}"]


async def test_a_warned_connection_listens_until_the_next_is_greeted(workspace: Workspace, side: SlackSide) -> None:
    await workspace.trouble(timing={"disconnect_warning_s": 5.0})
    connections: list[int] = []
    socket = side.socket(connections)
    await socket.start()
    await until(lambda: socket.connected)

    await workspace.trouble(sockets={"refuse": True})
    await workspace.disconnect("warning")
    await asyncio.sleep(0.5)
    assert socket.connected
    await workspace.say(ADA, DM, "hello")
    await until(lambda: side.intake.turns)
    await workspace.trouble(sockets={"refuse": False})
    await until(lambda: len(connections) == 2)

    (delivery,) = await all_acked(workspace, 1)
    assert len(delivery["attempts"]) == 1
    assert connections == [1, 1]  # the one that leaves is no replica
    await asyncio.sleep(1.0)
    assert await workspace.disconnect("drop") == 1  # and it has left
    await socket.close()


async def test_what_came_over_the_old_connection_is_acknowledged_over_the_new(
    workspace: Workspace, side: SlackSide
) -> None:
    await workspace.trouble(timing={"disconnect_warning_s": 5.0})
    side.intake.takes_s = 0.9  # longer than the next connection takes
    connections: list[int] = []
    socket = side.socket(connections)
    await socket.start()
    await until(lambda: socket.connected)

    await workspace.disconnect("warning")
    await workspace.say(ADA, DM, "hello")
    await until(lambda: side.intake.calls)
    await until(lambda: len(connections) == 2)

    (delivery,) = await all_acked(workspace, 1)
    assert len(delivery["attempts"]) == 1
    await socket.close()


async def test_where_an_app_has_all_its_sockets_the_old_one_makes_room(workspace: Workspace, side: SlackSide) -> None:
    await workspace.trouble(timing={"disconnect_warning_s": 30.0})
    others = [side.socket([]) for _ in range(MAX_CONNECTIONS - 1)]
    connections: list[int] = []
    socket = side.socket(connections)
    await asyncio.gather(*(other.start() for other in others))
    await until(lambda: all(other.connected for other in others))
    await socket.start()
    await until(lambda: socket.connected)

    await socket.renew(APP_TOKEN)

    await until(lambda: len(connections) == 2, timeout_s=20)
    assert connections == [MAX_CONNECTIONS, MAX_CONNECTIONS]
    await asyncio.gather(*(each.close() for each in (*others, socket)))


async def test_a_silent_connection_is_noticed_and_replaced(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace) as socket:
        await workspace.trouble(sockets={"silent": True})
        await until(lambda: not socket.connected)
        await workspace.trouble(sockets={"silent": False})
        await workspace.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert len(side.intake.turns) == 1


async def test_refused_handshakes_are_tried_again_with_fresh_urls(workspace: Workspace, side: SlackSide) -> None:
    await workspace.trouble(sockets={"refuse": True})
    socket = side.socket([])
    await socket.start()
    await asyncio.sleep(1.0)
    await workspace.trouble(sockets={"refuse": False})
    await until(lambda: socket.connected, timeout_s=20)
    await socket.close()

    opens = await workspace.calls("apps.connections.open")
    assert 2 <= len(opens) <= 6


async def test_a_rate_limited_open_is_waited_out(workspace: Workspace, side: SlackSide) -> None:
    failure = {"method": "apps.connections.open", "kind": "status", "status": 429, "error": "ratelimited"}
    await workspace.trouble(fail=[{**failure, "retry_after": 1, "times": 1}])
    socket = side.socket([])
    started = time.monotonic()
    await socket.start()
    await until(lambda: socket.connected, timeout_s=20)
    await socket.close()

    assert time.monotonic() - started >= 1.0


async def test_a_wrong_app_token_is_said_at_start(side: SlackSide) -> None:
    socket = SocketMode(side.app, "xapp-wrong", side.connection.client, on_connections=lambda _: None)

    with pytest.raises(SlackRejected) as refused:
        await socket.start()

    assert refused.value.slack_code == "invalid_auth"
    await socket.close()


async def test_a_process_without_slack_for_long_says_so(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace, timing=replace(QUICK, unreachable_s=3.0)) as socket:
        assert socket.problem() == ""
        await workspace.trouble(sockets={"refuse": True})
        await workspace.disconnect("drop")
        await until(lambda: socket.problem() != "", timeout_s=10)

    assert "no connection to Slack" in socket.problem()


async def test_a_process_that_a_new_one_could_not_help_says_nothing(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace) as socket:
        await workspace.trouble(
            sockets={"refuse": True},
            fail=[{"method": "apps.connections.open", "kind": "status", "status": 503, "times": 1_000}],
        )
        await workspace.disconnect("drop")
        await until(lambda: not socket.connected, timeout_s=10)
        await asyncio.sleep(2 * QUICK.unhealthy_s)

        assert socket.problem() == ""


async def test_closing_takes_seconds_even_where_slack_does_not_answer(workspace: Workspace, side: SlackSide) -> None:
    socket = side.socket([])
    await socket.start()
    await until(lambda: socket.connected)
    await workspace.trouble(sockets={"silent": True})
    before = len(asyncio.all_tasks())

    started = time.monotonic()
    await socket.close()

    assert time.monotonic() - started < 4
    await until(lambda: len(asyncio.all_tasks()) < before)


async def test_an_envelope_that_comes_while_closing_is_left_to_others(workspace: Workspace, side: SlackSide) -> None:
    side.intake.takes_s = 0.3
    socket = side.socket([])
    await socket.start()
    await until(lambda: socket.connected)
    await workspace.say(ADA, DM, "under way")
    await until(lambda: side.intake.calls == 1)
    closing = asyncio.create_task(socket.close())
    await asyncio.sleep(0.05)
    await workspace.say(ADA, DM, "too late")
    await closing

    async with side.connected(workspace):
        await until(lambda: len(side.intake.turns) == 2)
    first, second = await all_acked(workspace, 2)
    assert len(first["attempts"]) == 1
    assert len(second["attempts"]) > 1


async def test_two_notices_to_leave_open_one_new_connection(workspace: Workspace, side: SlackSide) -> None:
    async with side.connected(workspace):
        await workspace.disconnect("warning")
        await workspace.disconnect("refresh_requested")
        await asyncio.sleep(2.0)
        await workspace.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert len(await workspace.calls("apps.connections.open")) == 2


async def test_a_client_that_no_longer_heals_is_replaced_though_it_will_not_close(
    workspace: Workspace, side: SlackSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with side.connected(workspace, timing=replace(QUICK, stuck_s=0.5, close_s=0.2)):
        with monkeypatch.context() as wedged:
            wedged.setattr(SteadyClient, "connect_to_new_endpoint", hang)
            wedged.setattr(SteadyClient, "close", hang)
            await workspace.disconnect("drop")
            await asyncio.sleep(1.5)
        await workspace.say(ADA, DM, "hello")
        await until(lambda: side.intake.turns)

    assert len(side.intake.turns) == 1
