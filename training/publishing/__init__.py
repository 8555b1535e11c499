"""Which version of a generator the models folder serves."""
