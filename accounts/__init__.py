"""Who uses the service: accounts, their tokens, their plans, and what each may do."""
