"""Beyond one machine: what is made of many parts that know nothing of each other, spread over a Ray cluster.

Each part follows from what it is given alone, so that it is the same wherever it is made, and the parts are put
together in their order: the answer is that of one machine. A part whose process or node dies is made again elsewhere,
and that is told; one that cannot be made at all ends the whole, and is never left out.

    cluster   joined and left; all that knows Ray   spreading   shards begun, lost, begun again, put in order
    alike     whether a node runs the very same     walks       an explorer's random walks
    fleet     shards of one fleet, which meet

Ray is an extra: nothing here is loaded before somebody asks for it, and Ray itself when the cluster is joined.
"""
