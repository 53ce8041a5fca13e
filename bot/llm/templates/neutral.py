"""Anyone's text in, the same text without power over a prompt's structure out.

Inference servers look for a model's control tokens in the whole prompt, wherever they stand, so a person who writes
`<end_of_turn>` would close their own turn and could forge the next. Each control token of Gemma 2, 3, 3n and 4 is
therefore broken by a zero-width space after its first character: it reads the same and is plain text to a tokenizer.
Look-alikes (other case, fullwidth brackets, zero-width characters inside) are plain text already, because Gemma's
tokenizers match control tokens exactly and normalise nothing; they stay as they are.
"""

import re

ZERO_WIDTH_SPACE = "\u200b"

# Gemma 2, 3 and 3n: <name>
NAMES = "|".join(
    (
        "start_of_turn|end_of_turn|start_of_image|end_of_image|start_of_audio|end_of_audio",
        "image_soft_token|audio_soft_token|begin_of_tool_response|end_of_tool_response",
        r"bos|eos|pad|unk|mask|2mass|unused\d+",
    )
)
# Gemma 4: <|name>, <name|> and <|name|>
PIPED = r"turn|image|audio|video|channel|think|tool|tool_call|tool_response|\""

CONTROL = re.compile(rf"<(?=(?:{NAMES})>|\|(?:{PIPED})\|?>|(?:{PIPED})\|>)")
BRACKETED = re.compile(r"\[(?=multimodal\]|@BOS@\])")
# The codelab's template has no control tokens: these words begin its turns.
CODELAB_TURN = re.compile(r"(User|Assistant)'s Turn:")
# Unicode's tag characters are invisible and spell out ASCII: a way to smuggle instructions past the reader.
TAGS = re.compile("[\U000e0000-\U000e007f]")


def without_tags(text: str) -> str:
    """The text without tag characters."""
    return TAGS.sub("", text)


def neutral(text: str) -> str:
    """The text with every control token broken and every tag character gone. Neutral text stays as it is."""
    text = CONTROL.sub("<" + ZERO_WIDTH_SPACE, without_tags(text))
    return BRACKETED.sub("[" + ZERO_WIDTH_SPACE, text)


def neutral_for_codelab(text: str) -> str:
    """Neutral text in which the words that begin a turn of the codelab's template are broken too."""
    return CODELAB_TURN.sub(rf"\1's{ZERO_WIDTH_SPACE} Turn:", neutral(text))
