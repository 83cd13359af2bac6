"""The state of a machine's TCP as numbers for Prometheus and OpenTelemetry."""
