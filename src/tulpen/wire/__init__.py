"""Bytes and values: addresses, checksums, TCP segments and options, IPv4, IPv6 and ICMP.

Parsing takes any octets whatever: it returns a value or raises ``Malformed``, nothing else.
"""
