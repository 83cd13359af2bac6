"""The incidents, each a module."""
