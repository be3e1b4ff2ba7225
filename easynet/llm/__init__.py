"""Language models behind one protocol; one adapter a file."""
