"""What the catalogue is: no web server, no Traefik, no settings."""
