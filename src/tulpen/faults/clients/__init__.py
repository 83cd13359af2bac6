"""Bad clients: what servers have to live with, each one small module."""
