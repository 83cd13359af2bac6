"""Other TCPs, each with as little glue as it needs to offer the three services of the benchmarks."""
