"""Every order in which things can happen to one device and its service, within stated bounds.

Begin with `world`: a state of affairs as a value, what can happen next, and what each of that leads to. It is composed
of parts whose moves are each a pure function; `plain` says how, for one state, and is what the fast search is held to.

The world
    setup   what does not change of it             device   the machine on its hardware, with journal and timers
    choice  what can happen, in words              service  the Jobs service, and what operators do with it
    budgets how much of each kind of trouble       net      the messages in flight, both ways
    tokens  names for what is minted               moves    what a device can do next; turn: all that comes of it
    system  the five parts' moves, each by itself  digest   equal worlds in two processes

What is judged
    watching  what a search may watch beside       monitors the verdict's own, as small values
    accounts  what is told, taken in once          questions what each monitor is asked about it, once
    pieces    values that there are once           undecidable what looks violated and is nobody's fault

A search of all of it, of any world that is `searchable`
    search    level by level, until a limit        sharing  one process or several
    shipping  states between them                  passing  what they tell each other
    shard     the states that one process keeps    expansion what `plain` does, for thousands of states at once
    index, tables, packing, local_moves            a state as numbers, and what was asked of its parts, as tables
    standing  who is home, in two bits each        graph, components: what leads where
    notes     the first of each sort on the way    found    all of it put together; paths: ways through it
    liveness, loops                                whether it leads home from everywhere, and ends
    limits    time, memory, numbers, somebody      exploration what is answered

Beyond and around it
    walks     random ones; stumbling: what they find, made short by shrink
    sometimes places that must be reached          of_scenario  a scenario as a world
    answer    a search as a verdict                describing   a world in words, and what it leaves out
    schedule  an order in a file                   playing      it is played again
    entries   a path as a trace, for the judge; made_up_time: its times; placing: it is placed for people

A state is five values: device, service, net, what is watched, budgets. Each move changes few of them, so a search
composes what it has remembered of each (`system`), and whoever follows one path composes the very same (`world`).
What befalls a device costs something; what costs nothing, and is not up to an operator, happens by itself some day.
"""
