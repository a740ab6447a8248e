"""Every order in which things can happen to one device and its service, within stated bounds.

    setup   what does not change of a world        device   the machine on its hardware, with journal and timers
    choice  what can happen, in words              service  the Jobs service, and what operators do with it
    budgets how much of each kind of trouble       net      the messages in flight, both ways
    tokens  names for what is minted               moves    what a device can do next; turn: all that comes of it
    system  the five parts' moves, each by itself  world    all of it as one value: choices, and what each leads to
    digest  equal worlds in two processes          entries  a path as a trace, for the judge; made_up_time: its times

A state is five values: device, service, net, what is watched, budgets. Each move changes few of them, so a search
composes what it has remembered of each (`system`), and whoever follows one path composes the very same (`world`).
"""
