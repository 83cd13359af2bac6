"""packetdrill's language, run against a tulpen host in virtual time."""
