"""Certifying on an endpoint that is not ours: AWS itself, through its control plane and what it tells anybody.

Nobody there holds a packet for us, and no request of the device is seen. What is seen are the records of job
executions, looked at again and again, and the lifecycle events of the device's connection. So what happened lies
between two looks, and the bounds of a device have that much room; what a look cannot decide is undecided.

    ledger      what was made, and how many calls that took; only what stands there is ever deleted
    enrolment   the thing, and a certificate if one is asked for
    watching    the records of executions, as entries of a trace
    presence    the device's connection, likewise
    desk        all of these; what the session has in place of the local cloud
    clearing    its jobs, removed again
    removal     and what let its device in
    means       how cells are played there, and what is judged
    reach       which cells can be played there, and how their jobs go
    afar        what an undisturbed job shows through that
    budget      what a session would ask for, without asking
"""
