"""Pure: where photos are on a flat map, so that photos with similar features are near each other."""
