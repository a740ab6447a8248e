"""A local AWS IoT that real clients use unmodified: jobs core, registry, MQTT gateway, REST API."""
