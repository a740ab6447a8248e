"""Devices that are not ours, as processes: what each of them is, how it is started, and that it works."""
