"""Routers of Traefik's other providers against ours: who catches what, and who goes first. Pure."""
