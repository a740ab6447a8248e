"""The service side and the laboratory: a local AWS IoT, devices, a controller, engines, traces and verdicts."""
