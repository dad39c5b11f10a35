"""Plumbing that the lessons and exercises share; import what you need from its modules by name."""

__version__ = "1.0.0"
