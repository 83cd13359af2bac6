"""Captures told in TCP's own states: both ends of every connection, who ended it, and why."""
