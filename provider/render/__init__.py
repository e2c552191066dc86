"""From environments to Traefik's dynamic configuration: pure functions over values.

compile (each record on its own) → conflicts (who keeps a claim that two make) → document.
"""
