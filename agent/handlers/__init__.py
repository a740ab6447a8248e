"""What steps do on a real machine: plug-ins, one file a concern (see `agent.handlers.handler`)."""
