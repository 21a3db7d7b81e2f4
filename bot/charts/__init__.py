"""Charts: what is counted becomes a picture for a phone. Values and words first, pure; drawn in a process apart."""
