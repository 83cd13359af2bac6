"""Hosts and networks in virtual time, and the faults a network can have."""
