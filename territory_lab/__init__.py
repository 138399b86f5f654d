"""Sales-territory planning, from accounts to a decision."""
