"""Context modules: what a head does to the backbone's features before it classifies them."""
