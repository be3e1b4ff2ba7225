"""Large values: kept by digest, moved in parts, taken up where a transfer stopped."""
