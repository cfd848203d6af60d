"""Recipes of the shipped model files: the quality prior and the int8 backbone. Imports no Django."""
