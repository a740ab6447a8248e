"""The MQTT gateway of the local cloud: 3.1.1 and 5, QoS 0 and 1, our own codec."""

from simulator.cloud.mqtt.gateway import Gateway
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.service import Reaction, Service

__all__ = ["Gateway", "GatewaySettings", "Reaction", "Service"]
