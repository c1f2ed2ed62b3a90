"""Who may ask what: keys, origins, sizes, times."""
