"""HTTP for programs: shape only, no rules."""
