"""Faces for people that only read: they know the trace and the verdict, and nothing else."""
