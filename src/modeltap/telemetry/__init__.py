"""Middleware of web hosts: one request scope around each HTTP request. Standard library only."""
