"""The page while it happens: served, told and judged on the loop of what it shows.

server     its HTTP: the files, the stream, the orders
admission  who may see it
lookers    who looks, and what each of them is told
judging    the verdict so far, a few devices at a time
sparing    what all of that may cost
"""
