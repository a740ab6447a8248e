"""Probes of a device under test, for what the wire cannot show: is it alive, and which version runs.

    probes = [probe_of("cmd:./version.sh", offer), probe_of("mqtt:dut/{thing}/version", offer, cloud.overhear)]
    async with Sampling("pump-7", probes, sink) as sampling:
        sample = await sampling.now()

Some are asked (`cmd:`, `http:`, `file:`), others only announce (`mqtt:`, `serial:`). Whoever is asked and does not
answer in time could not be sampled, which says nothing of the device: `alive` is None then, and False only where
something that did answer says that it is dead.
"""

from simulator.certify.probes.choosing import probe_of
from simulator.certify.probes.sample import Probe, Sample
from simulator.certify.probes.sampling import Sampling

__all__ = ["Probe", "Sample", "Sampling", "probe_of"]
