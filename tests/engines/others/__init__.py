"""Devices of somebody else's, as correct people write them, on a cloud in virtual time."""
