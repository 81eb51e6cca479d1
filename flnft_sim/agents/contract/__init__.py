"""The auction contract: the story of an auction, its book, and the resale of licences."""
