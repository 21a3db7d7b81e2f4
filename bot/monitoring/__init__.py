"""Is anything missing, silent or unusual? The state of channels, the daily report, the heartbeat."""
