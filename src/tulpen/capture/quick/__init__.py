"""The compiled single pass: what it can be sure of it tells itself, and all else the exact reader tells."""
