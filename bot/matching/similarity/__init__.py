"""Whether two posts say the same, and which words changed between two versions."""
