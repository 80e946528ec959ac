"""DPDK ports without a card: Debian's dpdk-testpmd on them, next to the engine."""
