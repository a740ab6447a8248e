"""Somebody else's device, certified: cells of a matrix are played against it, judged from the wire and by probes."""
