"""What if I press delete now? A scenario is played once for each way to go on, and what comes of each stands beside it.

    scenario, action, seed, devices ──► played ──► Course       what one play of one way was, by a fold over its trace
    Courses over seeds              ──► Forecast                bands, the waves that stay within the quotas, the advice
    Forecast                        ──► terminal, JSON, HTML

`played` is the only place that knows an engine: whatever else can play a scenario, with more devices, goes there.
"""
