"""What devices ask of their jobs, whatever carries it: topics and payloads in, answers, publications and a trace out.

`service` is what the gateway asks; `trace_events` has the trace's words for what came of it, `job_events` AWS's for
the events of jobs. `fault_injection` decides which messages a scenario wants lost, doubled, late, held or refused, and
`network` does that to them; `holding` has those that wait, for what `deletions` tells of.
"""
