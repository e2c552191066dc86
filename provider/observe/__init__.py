"""Looking at the world outside the catalogue: input and output only, judging nothing."""
