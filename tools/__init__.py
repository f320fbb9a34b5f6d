"""What builds the website; not part of the package."""
