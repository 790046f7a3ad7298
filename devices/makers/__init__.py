"""The supplier's side: the company, its models, their papers, and what waits for it."""
