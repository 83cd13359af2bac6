"""Linux's own TCP, seen from Python."""
