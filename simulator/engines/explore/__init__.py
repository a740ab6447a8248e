"""Every interleaving of what can happen to a device and its jobs, within stated bounds."""
