"""Where posts come from: pushes and sweeps of the channels that the reader follows go to ingest; nothing else does."""
