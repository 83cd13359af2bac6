"""The movement of Linux's TCP: every transition as it happens, and how each connection ended."""
