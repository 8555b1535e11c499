"""What the service says to its operator."""

import logging

log = logging.getLogger("bentoml.faussaire")
"""BentoML's handlers show the loggers below its own name."""
