"""Prompts in, what a model family reads out: one module per family, and the neutralising that all of them share."""
