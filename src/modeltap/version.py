"""The version of modeltap."""

__version__ = "0.1.0"
