"""Reads what people have already, compose files and Traefik files, into records."""
