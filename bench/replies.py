"""A question in, the one answer to it out, token by token: who asks knows every character that must come back."""

import random
import re

_WORDS = """
the of a to and in that is for it as with on by this are from at or an be which not have one can will all more other
when there use your how each she many then them write would like these long make thing see him two has look day could
go come did number sound most people over know water than call first who may down side been now answer thread model
memory lease store event stream Slack token question reply process second window channel
""".split()  # noqa: SIM905 - a list of so many words would fill a page
_QUESTION = re.compile(r"Question (\w+) in (\d+) tokens")


def question(name: str, tokens: int) -> str:
    """What a person asks. `name` is letters and digits, and says which answer is wanted."""
    return f"Question {name} in {tokens} tokens, please?"


def asked(prompt: str) -> tuple[str, int]:
    """The last question of a prompt: its name and its answer's length; raises ValueError where there is none."""
    found = _QUESTION.findall(prompt)
    if not found:
        raise ValueError("the prompt asks nothing")
    name, tokens = found[-1]
    return name, int(tokens)


def answer(name: str, tokens: int) -> list[str]:
    """The answer's tokens: plain words, paragraphs, a list, something in bold and a block of code, as models write."""
    chance = random.Random(name)  # noqa: S311 - the same answer for everybody, no secret
    pieces = [f"Answer {name}:"]
    while len(pieces) < tokens:
        n = len(pieces)
        word = chance.choice(_WORDS)
        if n % 90 == 60:
            pieces.append("\n\n```\n" + word)
        elif n % 90 == 72:
            pieces.append("\n```\n\n" + word)
        elif n % 90 in (20, 30, 40):
            pieces.append("\n- " + word)
        elif n % 45 == 5:
            pieces.append(f" **{word}**")
        else:
            pieces.append(("\n\n" if n % 90 in (50, 84) else " ") + word)
    return pieces[:tokens]


def text(name: str, tokens: int) -> str:
    """The whole answer."""
    return "".join(answer(name, tokens))
