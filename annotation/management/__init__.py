"""Management of annotation."""
