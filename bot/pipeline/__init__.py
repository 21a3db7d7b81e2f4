"""What happens to one batch of posts, in one transaction: store, match, route, decide, enqueue."""
