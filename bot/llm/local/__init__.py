"""The embedded default: a small Gemma's weights in, an inference server on this machine out."""
