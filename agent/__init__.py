"""The device side of AWS IoT Jobs: what a device decides about its jobs, and the shells that carry it out."""
