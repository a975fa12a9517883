"""Pages: what ganeval found, as HTML files that need nothing else. One base template, one catalog of texts for each language."""
