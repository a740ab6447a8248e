"""Hostile peers and hostile inputs, bounded in count and time, on loopback only; each says what it found."""
