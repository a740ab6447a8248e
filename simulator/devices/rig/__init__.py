"""A device's hardware at work, as a value: what it is doing, how far it is, what its disk holds, and whether it is on.

    begin  undo ─► Run ── advance, sector by sector ──► reached: progress, a hold, the end ─► an event to the agent
    power_on ────► Run (the bootloader's exchange of slots) ─────────────────────────────► Booted
    instant: one more sector or write, before which the power may go; cut: it goes

Every operation takes a Rig and gives a RigOutcome: the rig afterwards, what is told of it, what the agent gets to know,
and what takes how long from here. Time itself is whoever's that drives it: `device` has a clock, an explorer none.
"""
