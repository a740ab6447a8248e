"""Simulated devices: hardware that a wrong move breaks, and agents good and bad that drive it."""
