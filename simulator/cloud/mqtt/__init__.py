"""MQTT 3.1.1 and 5, QoS 0 and 1, with our own codec: a broker without a loop; what carries its bytes is in `shells`."""

from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.service import Reaction, Service

__all__ = ["GatewaySettings", "Reaction", "Service"]
