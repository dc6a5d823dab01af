"""Programs that learn with npnets, in folders by what they show; README.md says where to start."""
