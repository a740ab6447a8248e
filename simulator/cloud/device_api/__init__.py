"""What devices ask of their jobs, whatever carries it: topics and payloads in, answers, publications and a trace out.

`service` is what the gateway asks; `trace_events` has the trace's words for what came of it, `job_events` AWS's for
the events of jobs, and `fault_injection` decides which messages a scenario wants lost, doubled, late or refused.
"""
