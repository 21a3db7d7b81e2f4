"""What can be shown to others: the signed and stamped heads of the ledger, and bundles that anybody can check."""
