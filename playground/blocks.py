"""Blocks, text and metadata of a message in, the same checked against Slack's limits out.

Each limit stands where Slack documents it: docs.slack.dev/reference/block-kit and the methods' own pages.
"""

import json
import re
from typing import Any

from playground.errors import SlackError

JSON = dict[str, Any]

MARKDOWN_CHARS = 12_000  # chat.* `markdown_text`; all markdown blocks of one payload together
TEXT_CHARS = 40_000  # chat.postMessage `text`; Slack truncates what is longer
UPDATE_TEXT_CHARS = 4_000  # chat.update `text`
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
METADATA_BYTES = 16_000
ID_CHARS = 255  # action_id, block_id
TABLE_ROWS, TABLE_COLUMNS, TABLE_CHARS = 100, 20, 10_000

_ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
_CONTEXT_ACTIONS = ("feedback_buttons", "icon_button")
_TEXT_LIMITS = {"section": 3_000, "header": 150, "alert": 200}
_MESSAGE_ONLY = {"markdown", "table", "task_card", "plan", "context_actions", "carousel", "card"}
_KNOWN = {
    "section", "divider", "header", "image", "actions", "context", "input", "file", "rich_text", "video", "call",
    "alert", "container", *_MESSAGE_ONLY,
}  # fmt: skip
_NAME = re.compile(r"^[a-z0-9_-]+$")


def check_message_blocks(blocks: list[JSON]) -> list[JSON]:
    """The blocks with ids where they had none; SlackError as chat.postMessage answers."""
    if len(blocks) > MESSAGE_BLOCKS:
        raise _invalid("no more than 50 items allowed", "")
    _check_markdown(blocks)
    if sum(block.get("type") == "table" for block in blocks) > 1:
        raise _invalid("only one table is allowed", "")
    return _checked(blocks, forbidden=frozenset({"input", "alert"}))


def check_view_blocks(blocks: Any) -> list[JSON]:
    """The same for modals and App Home, which take other blocks and more of them."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise _invalid("missing required field: blocks", "/blocks")
    if len(blocks) > VIEW_BLOCKS:
        raise _invalid("no more than 100 items allowed", "/blocks")
    return _checked(blocks, forbidden=frozenset(_MESSAGE_ONLY))


def check_metadata(metadata: Any) -> JSON | None:
    """Message metadata: an event_type and an event_payload, or nothing."""
    if metadata is None or metadata == {}:
        return None
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def _check_markdown(blocks: list[JSON]) -> None:
    texts = [block.get("text") for block in blocks if block.get("type") == "markdown"]
    if not all(isinstance(text, str) and text for text in texts):
        raise _invalid("must be a non-empty string", "/text")
    if sum(len(str(text)) for text in texts) > MARKDOWN_CHARS:
        raise SlackError("msg_too_long")


def _checked(blocks: list[JSON], *, forbidden: frozenset[str]) -> list[JSON]:
    seen: set[str] = set()
    checked = []
    for index, block in enumerate(blocks):
        kind = block.get("type")
        if kind not in _KNOWN or kind in forbidden:
            raise _invalid(f"unsupported type: {kind}", f"/{index}/type")
        _check_block(block, f"/{index}")
        block_id = block.get("block_id") or _block_id(index)
        if block_id in seen:
            raise _invalid("`block_id` is already used", f"/{index}/block_id")
        seen.add(block_id)
        checked.append({**block, "block_id": block_id})
    return checked


def _block_id(index: int) -> str:
    return f"b{index:02d}"


def _check_block(block: JSON, where: str) -> None:
    kind = block["type"]
    _at_most(block.get("block_id"), ID_CHARS, f"{where}/block_id")
    if kind in _TEXT_LIMITS:
        _check_text(block, _TEXT_LIMITS[kind], where)
    if kind in _ELEMENTS:
        _check_elements(block, _ELEMENTS[kind], where)
    if kind == "table":
        _check_table(block, where)
    if kind == "section" and isinstance(block.get("accessory"), dict):
        _check_element(block["accessory"], f"{where}/accessory")
    if kind == "input":
        if not isinstance(block.get("element"), dict) or not isinstance(block.get("label"), dict):
            raise _invalid("missing required field", where)
        _check_element(block["element"], f"{where}/element")


def _check_text(block: JSON, limit: int, where: str) -> None:
    text, fields = block.get("text"), block.get("fields")
    if block["type"] == "section" and fields:
        if not isinstance(fields, list) or len(fields) > 10:
            raise _invalid("no more than 10 items allowed", f"{where}/fields")
        for index, field in enumerate(fields):
            _check_text_object(field, 2_000, f"{where}/fields/{index}")
        if text is None:
            return
    _check_text_object(text, limit, f"{where}/text", plain=block["type"] == "header")


def _check_text_object(text: Any, limit: int, where: str, *, plain: bool = False) -> None:
    if not isinstance(text, dict) or text.get("type") not in ("plain_text", "mrkdwn"):
        raise _invalid("missing required field: text", where)
    if plain and text["type"] != "plain_text":
        raise _invalid("must be a plain_text object", where)
    if not isinstance(text.get("text"), str) or not text["text"]:
        raise _invalid("must be more than 0 characters", f"{where}/text")
    _at_most(text["text"], limit, f"{where}/text")


def _check_elements(block: JSON, limit: int, where: str) -> None:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        raise _invalid("must contain at least one item", f"{where}/elements")
    if len(elements) > limit:
        raise _invalid(f"no more than {limit} items allowed", f"{where}/elements")
    actions: set[str] = set()
    for index, element in enumerate(elements):
        if not isinstance(element, dict):
            raise _invalid("must be an object", f"{where}/elements/{index}")
        if block["type"] == "context":
            if element.get("type") != "image":
                _check_text_object(element, 2_000, f"{where}/elements/{index}")
            continue
        _check_element(element, f"{where}/elements/{index}")
        if (block["type"] == "context_actions") is not (element["type"] in _CONTEXT_ACTIONS):
            raise _invalid(f"unsupported element type: {element['type']}", f"{where}/elements/{index}/type")
        action_id = element.get("action_id")
        if action_id and action_id in actions:
            raise _invalid(f"`action_id` {action_id} is already used", f"{where}/elements/{index}")
        actions.add(str(action_id))


def _check_element(element: JSON, where: str) -> None:
    kind = element.get("type")
    if not isinstance(kind, str) or not _NAME.match(kind):
        raise _invalid("missing required field: type", where)
    _at_most(element.get("action_id"), ID_CHARS, f"{where}/action_id")
    if kind == "button":
        _check_text_object(element.get("text"), 75, f"{where}/text", plain=True)
        _at_most(element.get("value"), 2_000, f"{where}/value")
    if kind in ("static_select", "multi_static_select", "overflow", "radio_buttons", "checkboxes"):
        _check_options(element, where)


def _check_options(element: JSON, where: str) -> None:
    groups = element.get("option_groups") or [{"options": element.get("options")}]
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise _invalid("must be a list", f"{where}/option_groups")
    options = [option for group in groups for option in (group.get("options") or ())]
    if not options or len(options) > 100 or not all(isinstance(option, dict) for option in options):
        raise _invalid("between 1 and 100 options are required", f"{where}/options")
    for index, option in enumerate(options):
        plain = element["type"] not in ("radio_buttons", "checkboxes")
        _check_text_object(option.get("text"), 75, f"{where}/options/{index}/text", plain=plain)
        if not isinstance(option.get("value"), str):
            raise _invalid("missing required field: value", f"{where}/options/{index}")
        _at_most(option["value"], 150, f"{where}/options/{index}/value")
    initial = element.get("initial_option")
    if initial is not None and initial not in options:
        raise _invalid("initial_option must be one of the options", f"{where}/initial_option")


def _check_table(block: JSON, where: str) -> None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise _invalid("missing required field: rows", f"{where}/rows")
    if len(rows) > TABLE_ROWS or any(len(row) > TABLE_COLUMNS for row in rows):
        raise _invalid("no more than 100 rows of 20 cells allowed", f"{where}/rows")
    if sum(_cell_chars(cell) for row in rows for cell in row) > TABLE_CHARS:
        raise SlackError("msg_blocks_too_long")


def _cell_chars(cell: Any) -> int:
    if isinstance(cell, dict):
        return len(cell["text"]) if isinstance(cell.get("text"), str) else _cell_chars(list(cell.values()))
    return sum(_cell_chars(part) for part in cell) if isinstance(cell, list) else 0


def _at_most(value: Any, limit: int, where: str) -> None:
    if value is not None and (not isinstance(value, str) or len(value) > limit):
        raise _invalid(f"must be less than {limit + 1} characters", where)


def _invalid(reason: str, where: str) -> SlackError:
    messages = [f"[ERROR] {reason} [json-pointer:/blocks{where.removeprefix('/blocks')}]"]
    return SlackError("invalid_blocks", errors=messages, response_metadata={"messages": messages})
