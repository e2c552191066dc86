"""Certificates for development: a local CA, its leaves, and whose files are whose."""
