"""An option of a model menu in: the thread's, the channel's or one's own model set, and a word about it."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.apologies import notice
from bot.slack.blocks import MODEL_MENU
from bot.slack.interactions import Click, click_of
from bot.slack.listeners import home
from bot.slack.listeners.tools import JSON, Tools
from bot.slack.model_panel import scope_of


def register(app: AsyncApp, tools: Tools) -> None:
    """Listen."""

    async def on_choice(ack: AsyncAck, body: JSON) -> None:
        await ack()
        click = click_of(body)
        if click.thread is None:
            tools.errands.start("home_menu", _choose_at_home(tools, click))
        else:
            tools.errands.start("model_menu", _choose(tools, click), tell=tools.answering(click).say)

    app.action(MODEL_MENU)(on_choice)


async def _choose(tools: Tools, click: Click) -> None:
    answering, panel, thread = tools.answering(click), tools.panel, click.thread
    if thread is None or not tools.admits(click):
        await answering.say(notice("outsider", {}))
        return
    scope = scope_of(click.block_id)
    if scope is None:
        answer = await panel.choose_for_thread(click.value, thread=thread, user_id=click.user_id)
    else:
        answer = await panel.choose(click.value, scope=scope, channel_id=thread.channel_id, user_id=click.user_id)
    await answering.say(answer.text, to_all=answer.to_channel)


async def _choose_at_home(tools: Tools, click: Click) -> None:
    answer = await tools.panel.choose(click.value, scope="user", channel_id="", user_id=click.user_id)
    await home.publish(tools, click.user_id, note=answer.text)
