"""Overwritten by mistake by a second helper with the same brief: its author is to write it again."""
