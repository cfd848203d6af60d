"""How the shipped model files are made: the quality prior and the int8 backbone. Pure torch and numpy."""
