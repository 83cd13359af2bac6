"""What automaton a TCP is, found out by asking it: the engine, Linux, or any other at the end of a device."""
