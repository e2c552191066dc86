"""Commands that work on the data folder, without the daemon."""
