"""Engines play scenarios. All run the same two cores; they differ in what carries the messages and what is time."""
