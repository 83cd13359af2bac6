"""Many connections under one set of addresses: demultiplexing, listeners, ports, TIME-WAIT."""
