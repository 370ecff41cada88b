"""Clean images from specimens, and clean images without atoms."""
