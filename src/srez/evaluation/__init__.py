"""Measuring: the protocol, the metrics, the table and the sheet."""
