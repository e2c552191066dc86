"""Who may call: decisions as pure functions."""
