"""tulpen lab: every incident of TCP's life, in virtual time, on tulpen hosts, on Linux, with its fix."""
