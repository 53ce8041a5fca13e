"""/model in: who answers shown, or somebody's or a channel's model set."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.interactions import Command, command_of
from bot.slack.listeners.tools import JSON, Tools

COMMAND = "/model"


def register(app: AsyncApp, tools: Tools) -> None:
    """Listen."""

    async def on_model(ack: AsyncAck, body: JSON) -> None:
        await ack()
        command = command_of(body)
        tools.errands.start("model_command", _answer(tools, command), tell=tools.answering(command).say)

    app.command(COMMAND)(on_model)


async def _answer(tools: Tools, command: Command) -> None:
    scope = command.scope or ("user" if command.in_dm else "channel")
    answering, panel = tools.answering(command), tools.panel
    if not command.words:
        shown = await panel.show(channel_id=command.channel_id, user_id=command.user_id, scope=scope)
        await answering.say(shown.text, blocks=shown.blocks)
        return
    answer = await panel.choose(command.words, scope=scope, channel_id=command.channel_id, user_id=command.user_id)
    await answering.say(answer.text, to_all=answer.to_channel)
