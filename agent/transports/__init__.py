"""What carries messages between a device and its cloud."""
