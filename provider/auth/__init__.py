"""Who may call: accounts and tokens on disk, and the decisions as pure functions."""
