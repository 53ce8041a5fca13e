"""Prompts in, answers out: the catalogue of models, the models themselves, and wrappers that are models too."""
