"""Engines play scenarios. All run the same two cores; they differ in what carries the messages and what is time.

`play` plays, at a venue (`live`, `virtual`) and with players (`players`); `judged` has the verdict of it as well.
"""
