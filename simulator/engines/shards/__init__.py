"""A fleet in virtual time whose shards play at once: in this process, in others of this machine, or on a cluster.

    played     the first shard plays as a fleet does that is alone; at each edge it asks what the others say
    hosts      who plays the others, some shards each: here, or in a process of its own
    hosted     one of the others

What is agreed at an edge follows from what all shards say there, and what becomes of a shard until the next one from
itself and from what was agreed. So it is the same whoever plays which, and however many do.
"""
