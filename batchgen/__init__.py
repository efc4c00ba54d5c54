"""Batch image generation from a YAML manifest."""

__version__ = "0.1.0"
