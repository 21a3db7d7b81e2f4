"""What people type, read into a tree, or a refusal that says where it is wrong."""
