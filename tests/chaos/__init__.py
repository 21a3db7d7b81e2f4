"""Storms come in by their seeds; whether the archive then equals the world goes out. See `make chaos`."""
