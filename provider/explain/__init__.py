"""Why a URL is answered as it is: which router, in which order, and what happens to it. Pure."""
