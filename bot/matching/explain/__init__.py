"""Why a query matched, why it did not, and what else it could mean."""
