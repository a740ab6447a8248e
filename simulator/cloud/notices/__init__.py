"""What clients did not get, and how that is told to who runs the cloud.

`refusals` are the values that whoever refuses hands on, `telling` has them in the log and the trace, with what is like
them counted. `strangers` go first where file descriptors run out, `basic_ingest` accepts what no rule takes, and
`event_log` writes the trace's events to the log for who asks for them.
"""
