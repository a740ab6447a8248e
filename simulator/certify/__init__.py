"""Certifying a device that is not ours: it is put before the local cloud, made to live through a matrix, and judged."""
