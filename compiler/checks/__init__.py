"""The verifier's rules, by what an instruction touches."""
