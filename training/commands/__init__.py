"""The commands of the `faussaire` command line, one a module: each parses, calls and prints.

A command imports what is heavy inside its function: torch takes seconds, and `--help` must answer at once.
"""
