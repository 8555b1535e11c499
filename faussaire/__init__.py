"""A client of the service: `from faussaire import Client`."""
