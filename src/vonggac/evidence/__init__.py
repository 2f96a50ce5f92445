"""What outsiders verify: the audit chain and the receipts given for its lines. Pure."""
