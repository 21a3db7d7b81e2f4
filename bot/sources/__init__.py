"""How posts get in: what is pushed to readers, swept, verified, backfilled or imported goes to the pipeline."""
