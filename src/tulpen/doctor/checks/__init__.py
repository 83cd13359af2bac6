"""What the doctor knows: each module one thing that goes wrong, with ``find(change)``."""
