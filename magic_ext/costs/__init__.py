"""What questions cost: prices of models, budgets that refuse before anything is sent, and a session's ledger."""
