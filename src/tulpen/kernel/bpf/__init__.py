"""Programs of ours that run in the kernel, and what loads them; made by ``make bpf`` where clang is installed."""
