"""One running instance: embedded servers, the processes it starts and watches, checks before it starts."""
