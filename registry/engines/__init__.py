"""Where records are kept: one small protocol, and the engines beside it."""
