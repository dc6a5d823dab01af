"""Example programs that train npnets' networks, in folders by topic; README.md is the overview."""
