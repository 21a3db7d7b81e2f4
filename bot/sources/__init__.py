"""How posts get in: pushes to readers, the sweep, the verifier, backfills and exports feed the pipeline."""
