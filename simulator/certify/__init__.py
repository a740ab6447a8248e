"""Certifying a device that is not ours: it is put before the local cloud, made to live through a matrix, and judged.

The device, and the cloud before it:

    desk.py             the local cloud with this device's thing; `enrolment.py` has its certificate and its policy
    standing.py         the device's connections and subscriptions, for who begins to listen later
    offer.py            what is put on the device: addresses, files, topics; `offer_text.py` prints it
    device.py           the device under test, wherever it is, and its power; `child.py` is a process of ours,
                        `commands.py` what its owner's commands are given
    arrival.py          who is there by now, and what is missing
    refused_arrival.py  a client that was refused: why, in words that lead to the fix
    wrong_topics.py     topics that a device uses: which are those of Jobs, and what is wrong with the others;
                        `filters.py` knows what a filter brings

What is played with it:

    learning.py         how it does a job that nobody disturbs; `first_job.py` collects, `not_learned.py` says why not,
                        `relearning.py` corrects it after a cell that met nothing
    names.py            job ids of a session, each with the next of `documents.py`
    matrix.py           the cells: rows (`cell.py`) of `cells/`, of a point (`points.py`) and of `conditions.py`
    draft.py            what a row comes to: a scenario, like any other
    moments.py          cells of moments that only the device's own output shows
    schedules.py        cells of schedules that the explorer found, turn by turn (`turns.py`)
    probes/             what the wire does not show: whether it lives, and which version runs

How, and what comes of it:

    session.py          meet the device, play the cells, say what is known
    means.py            what can be done and seen where the device is: on the local cloud, or, in `aws/`, on an account
    one_play.py         a scenario with this device, by the engine and the judges of all scenarios; `venue.py` is where
    held_to_schedule.py a device that is held to a schedule: each packet at its turn
    wiretap.py          every entry of the cloud, the probes and the output, to whoever listens
    baseline.py         the device is back at work between two cells, or what brings it back
    result.py           what came of a cell, with the packets that show it, in the words of `evidence.py`
    certificate.py      what the cells come to; `junit.py`, `markdown.py`, `printing.py` and `output.py` are its faces
    lost_probes.py      probes that show nothing any more: since which cell, and why
    unseen.py           what cannot be judged from outside, and why
    telling.py          what is said meanwhile, to people or to scripts
"""
