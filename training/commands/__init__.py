"""The commands of the `faussaire` command line, one a module."""
