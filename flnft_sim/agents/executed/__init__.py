"""The market on executed contracts: what is sent to them at each step."""
