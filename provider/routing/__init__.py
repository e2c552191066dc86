"""Whether an environment is routed: valid, accepted, published, and live on each Traefik."""
