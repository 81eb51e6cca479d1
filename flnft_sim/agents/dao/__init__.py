"""A MU-DAO: the story of a minting, its rounds, decisions, members and their deliveries."""
