"""Nets and parts of nets that several models share."""
