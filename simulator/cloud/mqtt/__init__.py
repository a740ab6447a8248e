"""MQTT 3.1.1 and 5, QoS 0 and 1, with our own codec: a broker without a loop; what carries its bytes is in `shells`."""

from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.network import Peer, Travel
from simulator.cloud.mqtt.reserved_topics import Reaction, ReservedTopics

__all__ = ["GatewaySettings", "Peer", "Reaction", "ReservedTopics", "Travel"]
