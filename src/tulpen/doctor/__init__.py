"""What is wrong with the TCP of this machine: two looks some seconds apart, and findings with proof and remedy."""
