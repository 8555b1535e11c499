"""Metrics, log and traces: what is known of a request and of the process."""
