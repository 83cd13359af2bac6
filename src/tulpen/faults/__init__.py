"""The vocabulary of what can go wrong: each fault one small module, said once, usable on every backend."""
