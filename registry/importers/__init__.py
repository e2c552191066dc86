"""Readers of other people's files: what each can be as records, and what it cannot."""
