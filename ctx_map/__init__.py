"""Declarations of contexts and descriptors -> the layouts, models and texts derived from them."""
