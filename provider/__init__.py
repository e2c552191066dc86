"""What the daemon does: render the catalogue, publish it to Traefik, serve the REST API."""
