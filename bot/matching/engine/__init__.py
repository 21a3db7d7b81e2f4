"""Query trees become plans; plans find their spans in texts, thousands of queries at once."""
