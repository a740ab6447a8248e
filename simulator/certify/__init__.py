"""Certifying a device that is not ours: it is put before the local cloud, made to live through a matrix, and judged.

The device, and the cloud before it:

    desk.py             the local cloud with this device's thing; `enrolment.py` has its certificate and its policy
    standing.py         the device's connections and subscriptions, for who begins to listen later
    offer.py            what is put on the device: addresses, files, topics; `offer_text.py` prints it
    device.py           the device under test, wherever it is, and its power; `child.py` is a process of ours
    arrival.py          who is there by now, and what is missing
    refused_arrival.py  a client that was refused: why, in words that lead to the fix
    wrong_topics.py     topics that a device uses: which are those of Jobs, and what is wrong with the others
"""
