"""Simulated devices: hardware that a wrong move breaks, and agents good and bad (`models`) that drive it.

`rig` is the hardware at work, as a value, made of `hardware`, `sectors` and `storage`; `device` has a clock.
"""
