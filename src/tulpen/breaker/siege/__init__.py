"""tulpen break --server: the program is a server, and tulpen hosts are its bad clients."""
