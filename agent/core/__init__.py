"""The device core."""
