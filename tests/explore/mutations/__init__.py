"""Our own agent with one rule switched off, generated: what finds it, of all that can happen.

python -m tests.explore.mutations            try all of them, and write down what came of it
python -m tests.explore.mutations working    those whose name has that word, and write nothing

places    what is a rule of safety             changes   one line of it changed, by the syntax tree
switched  the change, while it lasts           meetings  what it makes something else of
worlds    where it is tried, the smallest first  trying    what comes of it there
plays     and in scenarios, in virtual time      behind    why nothing catches some
begun_once  what no invariant counts          everywhere  all that can come of it, at once
record    all of that, written down              tests.explore.table has it for a page
"""
