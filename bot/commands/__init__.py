"""Parsed arguments in, exit codes out: a module for each command, with `run(arguments)`, and what they share."""
