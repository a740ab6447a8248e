"""What carries bytes between sockets and the broker, on asyncio: ports, TLS, connections, and what wakes the broker."""

from simulator.cloud.mqtt.shells.gateway import Gateway

__all__ = ["Gateway"]
