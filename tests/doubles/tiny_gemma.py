"""A sentence in, a Gemma 3 of a few megabytes out that says it: real llama.cpp serves it, real tokens come of it.

The file has Gemma 3's architecture, control tokens and chat template, and the ids of the real vocabulary for the tokens
that a prompt's structure is made of. Everything else of it is small. Scripted, its blocks add nothing and its head maps
each token to the next: after `<start_of_turn>model\\n` the greedy answer is the sentence, then `<end_of_turn>`. Without
a script it babbles valid text until max_tokens. Needs numpy and gguf.

    python -m tests.doubles.tiny_gemma OUT.gguf "Hello from a tiny Gemma"
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np

LAYERS, HEADS, HEAD_WIDTH, FEED_FORWARD, WINDOW, CONTEXT = 2, 4, 32, 128, 512, 8192
SPACE = "\u2581"  # how the vocabulary writes a space

BOS, START_OF_TURN, END_OF_TURN, NEWLINE = 2, 105, 106, 107  # as in the real vocabulary

# Gemma 3's rules, in our words: the system text heads the first turn; turns must alternate; contents are trimmed.
CHAT_TEMPLATE = """
{{- bos_token -}}
{%- set head = '' -%}
{%- set turns = messages -%}
{%- if messages[0]['role'] == 'system' -%}
  {%- set head = messages[0]['content'] + '\\n\\n' -%}
  {%- set turns = messages[1:] -%}
{%- endif -%}
{%- for turn in turns -%}
  {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
    {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
  {%- endif -%}
  {{- '<start_of_turn>' + ('model' if turn['role'] == 'assistant' else turn['role']) + '\\n' -}}
  {{- (head if loop.first else '') + (turn['content'] | trim) + '<end_of_turn>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}
"""

COMMON_WORDS = "user model the a and of to in is it you that we what who how thread question answer please thanks"


@dataclass
class Vocabulary:
    """Pieces with their scores and kinds, by id."""

    pieces: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)

    def add(self, kind: gguf.TokenType, pieces: Iterable[str], score: float = 0.0) -> None:
        for piece in pieces:
            self.pieces.append(piece)
            self.scores.append(score)
            self.kinds.append(int(kind))

    def id(self, piece: str) -> int:
        return self.pieces.index(piece)


def vocabulary(words: Iterable[str]) -> Vocabulary:
    """The control tokens at their real places, all bytes, and each word with all its beginnings.

    A SentencePiece tokenizer joins neighbours as long as the union is a piece, best score first; so it finds a word
    only if every beginning of it is a piece, and longer ones must not score better than those that they begin with.
    """
    vocab = Vocabulary()
    vocab.add(gguf.TokenType.CONTROL, ["<pad>", "<eos>", "<bos>"])
    vocab.add(gguf.TokenType.UNKNOWN, ["<unk>"])
    vocab.add(gguf.TokenType.CONTROL, ["<mask>", "[multimodal]", *(f"<unused{n}>" for n in range(99))])
    vocab.add(gguf.TokenType.CONTROL, ["<start_of_turn>", "<end_of_turn>"])
    vocab.add(gguf.TokenType.USER_DEFINED, ["\n", "\n\n"])
    assert (
        vocab.pieces[BOS] == "<bos>" and vocab.pieces[END_OF_TURN] == "<end_of_turn>" and vocab.pieces[NEWLINE] == "\n"
    )
    vocab.add(gguf.TokenType.BYTE, [f"<0x{byte:02X}>" for byte in range(256)])
    beginnings = dict.fromkeys(
        whole[:end] for word in words for whole in (word, SPACE + word) for end in range(2, len(whole) + 1)
    )
    for rank, piece in enumerate(beginnings):
        vocab.add(gguf.TokenType.NORMAL, [piece], score=-1.0 - rank)
    single = {character for piece in beginnings for character in piece} | {chr(code) for code in range(33, 127)}
    vocab.add(gguf.TokenType.NORMAL, sorted(single), score=-1e6)
    return vocab


def write_tiny_gemma(path: Path, script: str = "", *, seed: int = 0) -> Path:
    """Write the model; the same script and seed give the same bytes. The script's words must all be different."""
    words = script.split()
    if len(set(words)) != len(words):
        raise ValueError("the words of a script must be distinct: each token knows only which one follows it")
    vocab = vocabulary([*COMMON_WORDS.split(), *words])
    width = 256 if script else 64  # wide enough that a hundred words' vectors hardly overlap
    writer = gguf.GGUFWriter(str(path), "gemma3")
    _describe(writer, vocab, width)
    for name, values in _weights(vocab, words, width, np.random.default_rng(seed)):
        writer.add_tensor(name, np.ascontiguousarray(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe(writer: Any, vocab: Vocabulary, width: int) -> None:
    writer.add_name("tiny-gemma")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD_WIDTH)
    writer.add_value_length(HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_sliding_window(WINDOW)
    writer.add_vocab_size(len(vocab.pieces))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece.encode() for piece in vocab.pieces])
    writer.add_token_scores(vocab.scores)
    writer.add_token_types(vocab.kinds)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(END_OF_TURN)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _weights(
    vocab: Vocabulary, words: list[str], width: int, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    embedding = rng.standard_normal((len(vocab.pieces), width))
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    yield "token_embd.weight", embedding
    yield "output.weight", _head(vocab, words, embedding, rng)
    yield "output_norm.weight", np.ones(width)
    gain = 0.0 if words else 1.0  # what a block adds to the stream
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name, rows, columns in (
            ("attn_q", HEADS * HEAD_WIDTH, width),
            ("attn_k", HEAD_WIDTH, width),
            ("attn_v", HEAD_WIDTH, width),
            ("attn_output", width, HEADS * HEAD_WIDTH),
            ("ffn_gate", FEED_FORWARD, width),
            ("ffn_up", FEED_FORWARD, width),
            ("ffn_down", width, FEED_FORWARD),
        ):
            yield f"{block}{name}.weight", rng.standard_normal((rows, columns)) / np.sqrt(columns)
        for name, size, value in (
            ("attn_norm", width, 1.0),
            ("attn_q_norm", HEAD_WIDTH, 1.0),
            ("attn_k_norm", HEAD_WIDTH, 1.0),
            ("post_attention_norm", width, gain),
            ("ffn_norm", width, 1.0),
            ("post_ffw_norm", width, gain),
        ):
            yield f"{block}{name}.weight", np.full(size, value)


def _head(
    vocab: Vocabulary, words: list[str], embedding: np.ndarray[Any, Any], rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """From the vector of a token to what may follow it: the script's next word, or anything that can be read."""
    if not words:
        head: np.ndarray[Any, Any] = rng.standard_normal(embedding.shape)
        head[[kind not in (gguf.TokenType.NORMAL, gguf.TokenType.USER_DEFINED) for kind in vocab.kinds]] = 0
        return head
    head = np.zeros_like(embedding)
    chain = [NEWLINE, vocab.id(words[0]), *(vocab.id(SPACE + word) for word in words[1:]), END_OF_TURN]
    for token, following in pairwise(chain):
        head[following] += 20 * embedding[token]
    return head


if __name__ == "__main__":
    print(write_tiny_gemma(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
