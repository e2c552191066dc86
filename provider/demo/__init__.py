"""The whole thing on real parts, on loopback: what `make run` shows, and tests build on."""
