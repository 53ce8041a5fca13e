"""Command line arguments in, exit codes out: one module a command, each with `add_arguments` and `run`."""
