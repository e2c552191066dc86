"""Manual work that the plumbing outside still needs, derived from what was seen. Pure."""
