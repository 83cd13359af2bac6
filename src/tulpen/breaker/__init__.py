"""tulpen break: runs a program against the faults and says what became of it."""
