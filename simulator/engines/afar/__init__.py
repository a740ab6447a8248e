"""A live fleet whose devices are elsewhere: in parts, on other hosts, which all connect to the cloud of one play.

    host      a part of the fleet ──MQTT──────────────────────┐
    host      a part of the fleet ──MQTT──────────────┐       │
                     │ what they do, and who rests    ▼       ▼
    here      play: players ◄─┘   judge            the cloud's process

The play, its cues and its judge are those of any other live fleet. A part tells the trace of its devices when it is
asked, and does to them what the play wants. One that says nothing is taken for one that does not run, of which nobody
is charged with anything; one that died ends the run, since what its devices do can be shown to nobody.

    part      the devices of one host                 hosts     where parts live; who has to be told if one dies
    players   the fleet, as the play sees it          venue     the live venue, with such a fleet
"""
