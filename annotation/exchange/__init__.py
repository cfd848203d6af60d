"""Files that go out to other programs, one module per format."""
